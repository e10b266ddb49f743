/* Front-end: int16 samples at 8 kHz in, one frame of int8 features every 20 ms out.
 *
 * Twin of spoken_digits/integer/frontend/frontend.py, equal to it in every bit. Integers only; the
 * caller owns the memory; nothing is allocated. Use:
 *
 *     sd_frontend_reset(&frontend);                        (before each clip)
 *     for each block of samples, of any size:
 *         while (n > 0) {
 *             taken = sd_frontend_push(&frontend, block, n);
 *             block += taken;  n -= taken;
 *             if (sd_frontend_ready(&frontend)) {
 *                 sd_frontend_frame(&frontend, &scratch, features);
 *                 ... use features, stop after SD_FRONTEND_MAX_FRAMES ...
 *             }
 *         }
 *     if (sd_frontend_finish(&frontend)) {                 (a clip shorter than one window)
 *         sd_frontend_frame(&frontend, &scratch, features);
 *     }
 */
#ifndef SD_FRONTEND_H
#define SD_FRONTEND_H

#include <stdint.h>

#include "sd_fft.h"
#include "sd_frontend_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What lives from frame to frame. */
typedef struct {
    int16_t samples[SD_FFT_SAMPLES]; /* the window being filled */
    uint16_t n_samples;              /* filled so far, 0 to 256 */
    uint16_t has_framed;             /* 1 once a frame was taken since the reset */
    int32_t level;                   /* level tracker, log2 in Q8 summed over bands */
} sd_frontend;

/* Needed only while sd_frontend_frame runs: may be shared with other work in between. */
typedef struct {
    sd_complex spectrum[SD_FFT_POINTS];
    int16_t logs[SD_FRONTEND_MELS];
} sd_frontend_scratch;

/* Make ready for a new clip. */
void sd_frontend_reset(sd_frontend *frontend);

/* Take samples until a window is full. Returns how many of n_samples were taken; none while a
 * full window waits for sd_frontend_frame. */
uint32_t sd_frontend_push(sd_frontend *frontend, const int16_t *samples, uint32_t n_samples);

/* 1 when a full window waits, else 0. */
int sd_frontend_ready(const sd_frontend *frontend);

/* Turn the full window into features, each in [-128, 127], and move on by one hop. Call it only
 * when sd_frontend_ready says 1: before that the window holds what memory held. */
void sd_frontend_frame(sd_frontend *frontend, sd_frontend_scratch *scratch,
                       int8_t features[SD_FRONTEND_COEFFICIENTS]);

/* The clip is over. Extends one shorter than a window with zeros: then 1, a window waits; 0
 * otherwise, and the samples of an unfinished window are dropped. */
int sd_frontend_finish(sd_frontend *frontend);

#ifdef __cplusplus
}
#endif

#endif
