/* Mel bands of a power spectrum, in log2.
 *
 * Twin of _mel_energy and _log_energy in spoken_digits/integer/frontend/frontend.py.
 */
#ifndef SD_MEL_H
#define SD_MEL_H

#include <stdint.h>

#include "sd_fft.h"
#include "sd_frontend_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* log2 of each band's energy above the noise floor, Q8: 0 at the floor, below 2^14.
 * spectrum, exponent: from sd_fft_power. */
void sd_mel_log(const sd_complex spectrum[SD_FFT_POINTS], int32_t exponent,
                int16_t logs[SD_FRONTEND_N_MELS]);

#ifdef __cplusplus
}
#endif

#endif
