/* Power spectrum of 256 real samples by a block-floating FFT in integers.
 *
 * Twin of spoken_digits/integer/frontend/fft.py.
 */
#ifndef SD_FFT_H
#define SD_FFT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SD_FFT_SAMPLES 256u
#define SD_FFT_POINTS 128u /* complex points: (even, odd) pairs of samples */

typedef struct {
    int32_t re;
    int32_t im;
} sd_complex;

/* Subtract the mean from the first n_samples of `samples`, window and transform them.
 *
 * window: Q15, at most 2^15, 0 from n_samples on; n_samples: a multiple of 4 from 4 to 256.
 *
 * On return spectrum[k].re, k in 1..127, holds the power in bin k, in [0, 2^31); the rest of
 * `spectrum` is undefined. Times 2^(2 e), where e is the returned exponent (-15 to 13), it is a
 * quarter of the squared magnitude of the DFT of the windowed samples minus their mean (rounded to
 * an integer). Any samples are allowed. */
int32_t sd_fft_power(const uint16_t window[SD_FFT_SAMPLES], uint32_t n_samples,
                     const int16_t samples[SD_FFT_SAMPLES], sd_complex spectrum[SD_FFT_POINTS]);

#ifdef __cplusplus
}
#endif

#endif
