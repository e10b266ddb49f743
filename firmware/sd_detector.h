/* Listening for hours: samples in, events out, around a recogniser of one word.
 *
 * Twin of spoken_digits/integer/detector/, equal in every event, word, confidence and sample number.
 * Use, beside a recogniser as in sd_recogniser.h:
 *
 *     #include "detector.h"               (generated)
 *
 *     static sd_detector detector;
 *     static DETECTOR_MEMORY kept;        (the last moments: a word's beginning is not lost)
 *
 *     status = sd_recogniser_init(&recogniser, ...);
 *     status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
 *     for each block of n samples, of any size, for ever:
 *         while (status == SD_OK && n > 0) {
 *             status = sd_detector_hear(&detector, block, n, &taken, &event);
 *             block += taken;  n -= taken;      (if that was SD_OK)
 *             if (event.verdict == SD_WORD) {
 *                 ... MODEL.labels[event.word], said at event.start ...
 *             }
 *         }
 *
 * The recogniser belongs to the detector until the next sd_detector_init. Work is done when a frame
 * is full: its level, and inside a word also the recogniser's work on at most ring_frames frames.
 * Where the recogniser takes longer than the microphone waits, put an sd_ring between.
 *
 * No allocation, no floating point, no recursion; sample numbers are 64 bits, so it never stops. */
#ifndef SD_DETECTOR_H
#define SD_DETECTOR_H

#include <stdint.h>

#include "sd_confidence.h"
#include "sd_endpoint.h"
#include "sd_event.h"
#include "sd_recogniser.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Generated, for one model. */
typedef struct {
    sd_endpoint_spec endpoint;
    sd_confidence_spec confidence;
    uint32_t model_id;     /* of the sd_model */
    uint32_t sample_rate;  /* Hz */
    uint32_t refractory;   /* samples after a word in which no other may begin */
    const uint8_t *silent; /* n_classes flags: 1 for a class that is never reported */
    uint16_t threshold;    /* least confidence of a word, 0 to SD_CERTAIN */
    uint16_t n_classes;
} sd_detector_spec;

typedef struct {
    const sd_detector_spec *spec;
    sd_recogniser *recogniser;
    int16_t *kept; /* a ring of ring_frames frames; the next is being filled */
    int32_t *logits;
    uint64_t passed;    /* frame after the last one that the recogniser heard */
    uint64_t free_from; /* sample from which the next word is reported */
    sd_endpoint endpoint;
    uint16_t slot;     /* of the frame being filled */
    uint16_t n_filled; /* samples of it */
} sd_detector;

/* Listen from now on. Also starts again at any time.
 * recogniser: initialised, of the model that the spec was generated for.
 * kept: ring_frames * frame_length samples; logits: n_classes; both in use from
 * now on. Returns SD_OK, SD_NULL_POINTER, SD_NOT_INITIALISED (the recogniser)
 * or SD_OTHER_MODEL. */
sd_status sd_detector_init(sd_detector *detector, const sd_detector_spec *spec,
                           sd_recogniser *recogniser, int16_t *kept, int32_t *logits);

/* Take samples up to the next event: n_taken of n_samples, all of them if
 * event->verdict is SD_NOTHING. samples may be null if n_samples is 0. Returns
 * SD_OK, SD_NULL_POINTER or SD_NOT_INITIALISED, which change nothing. */
sd_status sd_detector_hear(sd_detector *detector, const int16_t *samples, uint32_t n_samples,
                           uint32_t *n_taken, sd_event *event);

#ifdef __cplusplus
}
#endif

#endif
