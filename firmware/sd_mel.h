/* Mel bands of a power spectrum, in log2.
 *
 * Twin of spoken_digits/integer/frontend/mel.py.
 */
#ifndef SD_MEL_H
#define SD_MEL_H

#include <stdint.h>

#include "sd_fft.h"
#include "sd_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* log2 of the energy in each of n_mels bands above the band's floor, Q8: 0 at the floor, below
 * 2^14. spectrum, exponent: from sd_fft_power. */
void sd_mel_log(const sd_frontend_spec *spec, const sd_complex spectrum[SD_FFT_POINTS],
                int32_t exponent, int16_t *logs);

/* log2(x), Q8, of x > 0, from its top 32 bits. */
int32_t sd_log2_of(uint64_t x);

#ifdef __cplusplus
}
#endif

#endif
