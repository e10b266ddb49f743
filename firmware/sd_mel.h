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

/* log2, Q8, of mantissa 2^exponent.
 * mantissa: its highest bit is bit 31; exponent: -31 to 32. */
int32_t sd_log2_q8(uint32_t mantissa, int32_t exponent);

#ifdef __cplusplus
}
#endif

#endif
