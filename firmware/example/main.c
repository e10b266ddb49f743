/* Recordings in, words out: a complete application, checked against golden vectors.
 *
 * Streams each recording through front-end and network in small blocks, as a microphone would
 * deliver it, prints the word, and compares features and logits with those of the Python twin.
 * Exit status: 0 if all are equal, else 1. */
#include <stdio.h>

#include "golden.h"
#include "sd_model.h"
#include "sd_model_frontend.h"

enum { BLOCK_SAMPLES = 64 };

static sd_frontend frontend;        /* kept from frame to frame */
static sd_frontend_scratch scratch; /* free between frames */
static sd_model_memory memory;
static sd_network_state state = SD_STATE(memory);

/* Results of a clip, for the comparison; an application keeps only n_frames. */
static uint32_t n_frames;
static uint32_t features_hash;
static int8_t first_frames[GOLDEN_FIRST_FRAMES * SD_MODEL_FRONTEND_N_FEATURES];

static void start(void)
{
    sd_frontend_reset(&frontend);
    sd_network_reset(&sd_model, &state);
    n_frames = 0;
    features_hash = GOLDEN_HASH_START;
}

static void remember(const int8_t *features)
{
    uint32_t i;

    for (i = 0; i < SD_MODEL_FRONTEND_N_FEATURES; i++) {
        features_hash = (features_hash ^ (uint8_t)features[i]) * GOLDEN_HASH_FACTOR;
        if (n_frames < GOLDEN_FIRST_FRAMES) {
            first_frames[n_frames * SD_MODEL_FRONTEND_N_FEATURES + i] = features[i];
        }
    }
}

static void take_frame(void)
{
    int8_t features[SD_MODEL_FRONTEND_N_FEATURES];

    sd_frontend_frame(&sd_model_frontend, &frontend, &scratch, features);
    sd_network_push(&sd_model, &state, features);
    remember(features);
    n_frames++;
}

/* A block from the microphone, of any size. */
static void hear(const int16_t *block, uint32_t n_samples)
{
    while (n_samples > 0u && n_frames < SD_MODEL_FRONTEND_N_FRAMES) {
        const uint32_t n_taken = sd_frontend_push(&sd_model_frontend, &frontend, block, n_samples);
        block += n_taken;
        n_samples -= n_taken;
        if (sd_frontend_ready(&sd_model_frontend, &frontend)) {
            take_frame();
        }
    }
}

/* The word is over: return its class. */
static uint16_t finish(int32_t logits[SD_MODEL_N_CLASSES])
{
    if (n_frames < SD_MODEL_FRONTEND_N_FRAMES &&
        sd_frontend_finish(&sd_model_frontend, &frontend)) {
        take_frame();
    }
    sd_network_finish(&sd_model, &state, logits);
    return sd_argmax(logits, SD_MODEL_N_CLASSES);
}

static int differs(const golden_clip *clip, const int32_t *logits)
{
    uint32_t i;

    if (n_frames != clip->n_frames || features_hash != clip->features_hash) {
        return 1;
    }
    for (i = 0; i < n_frames * SD_MODEL_FRONTEND_N_FEATURES && i < sizeof first_frames; i++) {
        if (first_frames[i] != clip->first_frames[i]) {
            return 1;
        }
    }
    for (i = 0; i < SD_MODEL_N_CLASSES; i++) {
        if (logits[i] != clip->logits[i]) {
            return 1;
        }
    }
    return 0;
}

static int check(const golden_clip *clip)
{
    int32_t logits[SD_MODEL_N_CLASSES];
    uint32_t done;
    uint16_t word;
    int difference;

    start();
    for (done = 0; done < clip->n_samples; done += BLOCK_SAMPLES) {
        const uint32_t left = clip->n_samples - done;
        hear(clip->pcm + done, left < BLOCK_SAMPLES ? left : BLOCK_SAMPLES);
    }
    word = finish(logits);
    difference = differs(clip, logits);
    printf("%s: \"%s\"%s\n", clip->utterance, sd_model_labels[word],
           difference ? ", DIFFERS from the golden vector" : "");
    return difference;
}

int main(void)
{
    uint32_t i;
    int n_different = 0;

    for (i = 0; i < GOLDEN_N_CLIPS; i++) {
        n_different += check(&golden_clips[i]);
    }
    printf("%u clips, %d differ\n", (unsigned)GOLDEN_N_CLIPS, n_different);
    return n_different != 0;
}
