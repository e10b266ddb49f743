/* Tables that are the same for every front-end. */
#ifndef SD_FRONTEND_CONSTANTS_H
#define SD_FRONTEND_CONSTANTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const int16_t sd_sine[256];          /* sin(2 pi i / 256), Q14 */
extern const uint8_t sd_fft_order[32];      /* digit-reversed order of the first pass */
extern const uint16_t sd_log2_fraction[33]; /* log2(1 + i / 32), Q15 */

#ifdef __cplusplus
}
#endif

#endif
