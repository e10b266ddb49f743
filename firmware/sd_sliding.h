/* Listening through a sliding window: a recogniser asked many times a second, whatever the level.
 *
 * Twin of spoken_digits/integer/detector/sliding.py, equal in every event, confidence and sample
 * number. A word is reported where the mean probability of its class over n_smoothed windows
 * reaches the threshold; it lies in what all of these windows heard. Finds words over other talkers
 * where sd_detector hears one endless sound; but runs the whole network with every step: for
 * processors that can afford it. The front-end runs once over the stream. Only of models that know
 * silence and unknown words. Use:
 *
 *     #include "sliding.h"                (generated)
 *
 *     static sd_sliding sliding;
 *     static SLIDING_MEMORY memory;       (all of it: no sd_recogniser beside)
 *
 *     status = sd_sliding_init(&sliding, &SLIDING, SLIDING_ID, &memory, sizeof memory);
 *     for each block of n samples, of any size, for ever:
 *         while (n > 0) {
 *             status = sd_sliding_hear(&sliding, block, n, &taken, &event);
 *             block += taken;  n -= taken;
 *             if (event.verdict == SD_WORD) {
 *                 ... SLIDING_LABELS[event.word], said between event.start and event.end ...
 *             }
 *         }
 *
 * The call that completes a window takes as long as the network does: where the microphone does not
 * wait, put an sd_ring between.
 *
 * No allocation, no floating point, no recursion; sample numbers are 64 bits, so it never stops. */
#ifndef SD_SLIDING_H
#define SD_SLIDING_H

#include <stdint.h>

#include "sd_confidence.h"
#include "sd_event.h"
#include "sd_recogniser.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Generated, for one model. */
typedef struct {
    const sd_model *model; /* heard by word; its parts and memory are those of the sliding window */
    sd_confidence_spec confidence;
    uint32_t window;                      /* samples that the model hears at once */
    uint32_t step;                        /* samples from window to window, whole frames */
    uint32_t refractory;                  /* samples after a word in which no other may begin */
    uint32_t logits, sums, probabilities; /* where they lie in the memory */
    const uint8_t *silent;                /* n_classes flags: 1 for a class never reported */
    uint16_t threshold;                   /* least mean probability of a word, 0 to SD_CERTAIN */
    uint16_t n_smoothed;                  /* windows in the mean, 1 to 32; all overlap */
} sd_sliding_spec;

typedef struct {
    const sd_sliding_spec *spec;
    sd_recogniser recogniser;
    int32_t *logits;         /* n_classes, of the last window */
    int32_t *sums;           /* n_classes, of the probabilities */
    uint16_t *probabilities; /* n_classes for each of the last n_smoothed windows, a ring */
    uint64_t n_heard;        /* samples so far */
    uint64_t free_from;      /* sample from which the next word is reported */
    uint32_t left;           /* samples until the next window is complete */
    uint16_t slot;           /* of the ring, where the next window goes */
} sd_sliding;

/* Listen from now on. Also starts again at any time.
 * id: SLIDING_ID of the header that the application was compiled with.
 * memory: of n_bytes, in use from now on. Returns what sd_recogniser_init does; anything but SD_OK
 * leaves all as it was. */
sd_status sd_sliding_init(sd_sliding *sliding, const sd_sliding_spec *spec, uint32_t id,
                          void *memory, uint32_t n_bytes);

/* Take samples up to the next word: n_taken of n_samples, all of them if event->verdict is
 * SD_NOTHING; it is SD_WORD otherwise. samples may be null if n_samples is 0. Returns SD_OK,
 * SD_NULL_POINTER or SD_NOT_INITIALISED, which change nothing. */
sd_status sd_sliding_hear(sd_sliding *sliding, const int16_t *samples, uint32_t n_samples,
                          uint32_t *n_taken, sd_event *event);

#ifdef __cplusplus
}
#endif

#endif
