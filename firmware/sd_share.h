/* Shares of the softmax, before they are divided by their sum. Twin: probabilities in
 * spoken_digits/integer/detector/confidence.py. */
#ifndef SD_SHARE_H
#define SD_SHARE_H

#include "sd_confidence.h"
#include "sd_octaves.h"

#define SD_FAR (15u << 8) /* octaves, Q8: 2^-15 and less count as nothing */

/* Share of a class, Q15: at most 2^15, that of the class with the greatest logit. The difference of
 * any two logits is exact, since the first is not the smaller one. */
static inline uint32_t sd_share(const sd_confidence_spec *spec, int32_t greatest, int32_t logit)
{
    const uint32_t distance = (uint32_t)greatest - (uint32_t)logit;
    const uint32_t behind = distance < spec->farthest ? distance : spec->farthest;
    const uint32_t octaves = (behind * spec->scale) >> spec->shift; /* product below 2^32 */
    return octaves < SD_FAR ? sd_exp2_q8(SD_FAR - octaves) : 0u;
}

#endif
