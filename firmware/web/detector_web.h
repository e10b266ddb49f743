/* A detector, and perhaps a sliding window, as WebAssembly: what a page may call.
 *
 * Built without a system, with a generated model and detector, by spoken_digits/demo/module.py;
 * spoken_digits/demo/browser/engine.js calls it. A module holds one of each, and all their memory:
 *
 *     sd_web_listen(SD_WEB_ENDPOINTS);
 *     for each block of at most sd_web_room() samples, written to sd_web_samples():
 *         for (i = 0; i < n; i += sd_web_hear(i, n - i)) {
 *             ... after each call, sd_web_heard() holds an event, or verdict 0 ...
 *         }
 *
 * A status is an sd_status. */
#ifndef DETECTOR_WEB_H
#define DETECTOR_WEB_H

#include <stdint.h>

/* sd_event with fields of one size, in this order. */
typedef struct {
    int64_t verdict, word, confidence, start, end, decided;
} sd_web_event;

int16_t *sd_web_samples(void);
uint32_t sd_web_room(void);

/* How to listen. */
enum {
    SD_WEB_ENDPOINTS = 0, /* sd_detector */
    SD_WEB_WINDOWS = 1    /* sd_sliding */
};

/* Listen from now on. Returns a status: SD_NOT_INITIALISED if the module has no sliding window. */
uint32_t sd_web_listen(uint32_t how);

/* Take n of the samples from number `first` on, up to the first event. Returns how many were taken,
 * or minus a status. */
int32_t sd_web_hear(uint32_t first, uint32_t n);
const sd_web_event *sd_web_heard(void);
const int32_t *sd_web_logits(void); /* of the last word, or of the last window */
int32_t sd_web_floor(void);         /* noise floor, log2, Q12; of SD_WEB_ENDPOINTS alone */
uint32_t sd_web_state(void);        /* sd_endpoint_state; of SD_WEB_ENDPOINTS alone */
uint32_t sd_web_ram(void);          /* bytes that what listens keeps, its recogniser included */

/* Recognise the first n samples by a recogniser of its own, so that a page can take the time.
 * Returns the word, or minus a status. */
int32_t sd_web_repeat(uint32_t n);

/* For a picture: take n of the samples from number `first` on, up to the next full window of the
 * front-end. Returns how many were taken; sd_web_bands() then tells whether a window was full. */
uint32_t sd_web_look(uint32_t first, uint32_t n);
const int16_t *sd_web_bands(void); /* n_mels logs as of sd_frontend_logs; null: no full window */

#endif
