/* 16 kHz to 8 kHz: for a microphone that is twice as fast as the front-end.
 *
 *     static sd_decimator decimator;
 *
 *     sd_decimator_reset(&decimator);                       (once, and after a gap in the samples)
 *     n = sd_decimator_push(&decimator, block, n, block);   (the output may lie on the input)
 *     status = sd_recogniser_hear(&recogniser, block, n);
 *
 * A half-band low-pass: flat to 3.4 kHz, 55 dB from 4.6 kHz on. Twin of
 * spoken_digits/integer/frontend/decimator.py, equal bit for bit. */
#ifndef SD_DECIMATOR_H
#define SD_DECIMATOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SD_DECIMATOR_EVEN = 24, /* even samples under the filter */
    SD_DECIMATOR_ODD = 12   /* odd ones from the newest to the middle */
};

/* The samples under the filter, apart by whether their number is even or odd. */
typedef struct {
    int32_t even[2 * SD_DECIMATOR_EVEN]; /* twice over: from any place on, all lie in a row */
    int16_t odd[SD_DECIMATOR_ODD];
    uint8_t even_at; /* oldest */
    uint8_t odd_at;
    uint8_t is_odd;    /* whether the next sample is */
    uint8_t has_begun; /* whether there was a sample since the reset */
} sd_decimator;

/* Start anew: the past is taken to be like the first sample that comes. */
void sd_decimator_reset(sd_decimator *decimator);

/* Take all n_samples; write every second sample of the filtered signal to output, at most
 * (n_samples + 1) / 2. Returns how many. */
uint32_t sd_decimator_push(sd_decimator *decimator, const int16_t *samples, uint32_t n_samples,
                           int16_t *output);

#ifdef __cplusplus
}
#endif

#endif
