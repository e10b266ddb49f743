/* A stream in, words out: a complete application with a detector, checked against golden events.
 *
 * The golden clips, with a second of silence before each and after the last, come in blocks as a
 * microphone would deliver them. Prints what is heard and when, and compares every event with those
 * of the Python twin. Names no model. Exit status: 0 if all are equal, else 1. */
#include <stdio.h>

#include "detector.h"
#include "golden.h"
#include "golden_events.h"
#include "model.h"

enum { BLOCK_SAMPLES = 64 };

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;
static uint32_t n_events, n_different;

static int is_golden(const sd_event *event)
{
    const golden_event *right = &golden_events[n_events];
    return n_events < GOLDEN_N_EVENTS && (uint32_t)event->verdict == right->verdict &&
           event->word == right->word && event->confidence == right->confidence &&
           event->start == right->start && event->end == right->end &&
           event->decided == right->decided;
}

static void show(const sd_event *event)
{
    const int differs = !is_golden(event);
    const char *word = event->word >= 0 ? MODEL.labels[event->word] : "";
    printf("%lu ms: %s \"%s\" %u/%u%s\n",
           (unsigned long)(event->start * 1000u / DETECTOR.sample_rate),
           event->verdict == SD_WORD ? "word" : "not reported", word, (unsigned)event->confidence,
           (unsigned)SD_CERTAIN, differs ? ", DIFFERS from the golden event" : "");
    n_events++;
    n_different += (uint32_t)differs;
}

/* Take n samples; of silence if there are none. */
static sd_status hear(const int16_t *samples, uint32_t n)
{
    static const int16_t silence[BLOCK_SAMPLES];
    sd_status status = SD_OK;

    while (status == SD_OK && n > 0u) {
        uint32_t taken;
        sd_event event;
        const uint32_t block = n < BLOCK_SAMPLES ? n : BLOCK_SAMPLES;
        status =
            sd_detector_hear(&detector, samples == 0 ? silence : samples, block, &taken, &event);
        n -= taken;
        samples = samples == 0 ? 0 : samples + taken;
        if (event.verdict != SD_NOTHING) {
            show(&event);
        }
    }
    return status;
}

int main(void)
{
    uint32_t i;
    sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);

    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    for (i = 0; status == SD_OK && i < GOLDEN_N_CLIPS; i++) {
        status = hear(0, DETECTOR.sample_rate);
        if (status == SD_OK) {
            status = hear(golden_clips[i].pcm, golden_clips[i].n_samples);
        }
    }
    if (status == SD_OK) {
        status = hear(0, DETECTOR.sample_rate);
    }
    if (status != SD_OK) {
        printf("status %d: see sd_status\n", (int)status);
        return 1;
    }
    n_different += n_events < GOLDEN_N_EVENTS ? GOLDEN_N_EVENTS - n_events : 0u;
    printf("%u events, %u differ\n", (unsigned)n_events, (unsigned)n_different);
    return n_different != 0u;
}
