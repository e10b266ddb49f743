/* Recordings in, words out: a complete application, checked against golden vectors.
 *
 * Feeds each recording to the recogniser in small blocks, as a microphone would deliver it, prints
 * the word, and compares the logits with those of the Python twin. Names no model: another one
 * replaces its own files, golden.* and model.h, and no line here.
 * Exit status: 0 if all are equal, else 1. */
#include <stdio.h>

#include "golden.h"
#include "model.h"

enum { BLOCK_SAMPLES = 64 };

static sd_recogniser recogniser;
static MODEL_MEMORY memory;

/* Hear a whole clip, and answer. */
static sd_status recognise(const golden_clip *clip, int32_t *logits, uint16_t *word)
{
    uint32_t done;
    sd_status status = sd_recogniser_reset(&recogniser);

    for (done = 0; status == SD_OK && done < clip->n_samples; done += BLOCK_SAMPLES) {
        const uint32_t left = clip->n_samples - done;
        status = sd_recogniser_hear(&recogniser, clip->pcm + done,
                                    left < BLOCK_SAMPLES ? left : BLOCK_SAMPLES);
    }
    if (status == SD_OK || status == SD_CLIP_FULL) { /* full: the rest of the clip is not needed */
        status = sd_recogniser_result(&recogniser, logits, word);
    }
    return status;
}

/* 1 if the answer differs from the golden one, else 0. */
static int check(const golden_clip *clip)
{
    int32_t logits[MODEL_N_CLASSES];
    uint16_t word, i;
    int differs = 0;
    const sd_status status = recognise(clip, logits, &word);

    if (status != SD_OK) {
        printf("%s: status %d\n", clip->utterance, (int)status);
        return 1;
    }
    for (i = 0; i < MODEL_N_CLASSES; i++) {
        differs |= logits[i] != clip->logits[i];
    }
    printf("%s: \"%s\"%s\n", clip->utterance, MODEL.labels[word],
           differs ? ", DIFFERS from the golden vector" : "");
    return differs;
}

int main(void)
{
    uint32_t i;
    int n_different = 0;
    const sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);

    if (status != SD_OK) {
        printf("status %d: see sd_status\n", (int)status);
        return 1;
    }
    for (i = 0; i < GOLDEN_N_CLIPS; i++) {
        n_different += check(&golden_clips[i]);
    }
    printf("%u clips, %d differ\n", (unsigned)GOLDEN_N_CLIPS, n_different);
    return n_different != 0;
}
