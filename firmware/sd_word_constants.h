/* Tables that are the same for every word front-end. */
#ifndef SD_WORD_CONSTANTS_H
#define SD_WORD_CONSTANTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SD_SOFTPLUS_ENTRIES 81

extern const uint16_t sd_exp2_fraction[33];             /* 2^(i / 32) - 1, Q15 */
extern const uint16_t sd_softplus[SD_SOFTPLUS_ENTRIES]; /* log2(1 + 2^(-i / 8)), Q8 */

#ifdef __cplusplus
}
#endif

#endif
