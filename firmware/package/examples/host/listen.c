/* Words from standard input: int16 samples in the byte order of this computer, mono.
 *
 *     arecord -t raw -f S16_LE -c 1 -r 8000 | build/listen          (rate: that of the model)
 *
 * Prints each word: when it began, how sure. Names no model. */
#include <stdio.h>

#include "detector.h"
#include "model.h"

enum { BLOCK_SAMPLES = 160 };

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;

static sd_status hear(const int16_t *samples, uint32_t n)
{
    sd_status status = SD_OK;

    while (status == SD_OK && n > 0u) {
        uint32_t taken;
        sd_event event;
        status = sd_detector_hear(&detector, samples, n, &taken, &event);
        if (status == SD_OK) {
            samples += taken;
            n -= taken;
            if (event.verdict == SD_WORD) {
                printf("%lu ms: %s (%u of %u)\n",
                       (unsigned long)(event.start * 1000u / DETECTOR.sample_rate),
                       MODEL.labels[event.word], (unsigned)event.confidence, (unsigned)SD_CERTAIN);
                fflush(stdout);
            }
        }
    }
    return status;
}

int main(void)
{
    int16_t block[BLOCK_SAMPLES];
    size_t n;
    sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);

    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    while (status == SD_OK && (n = fread(block, sizeof *block, BLOCK_SAMPLES, stdin)) > 0) {
        status = hear(block, (uint32_t)n);
    }
    if (status != SD_OK) {
        fprintf(stderr, "status %d: see sd_status\n", (int)status);
    }
    return status != SD_OK;
}
