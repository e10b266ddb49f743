/* How sure a recogniser is of its word: see sd_confidence.h. */
#include "sd_confidence.h"

#include "sd_octaves.h"

#define FAR (15u << 8) /* 2^-15 and less count as nothing */

uint16_t sd_confidence(const sd_confidence_spec *spec, const int32_t *logits, uint16_t n_classes,
                       uint16_t word)
{
    uint32_t total = 0; /* Q15: at most 2^15 a class */
    uint16_t c;
    for (c = 0; c < n_classes; c++) {
        /* exact for any two logits, since the first is not the smaller one */
        const uint32_t distance = (uint32_t)logits[word] - (uint32_t)logits[c];
        const uint32_t behind = distance < spec->farthest ? distance : spec->farthest;
        const uint32_t octaves = (behind * spec->scale) >> spec->shift; /* product below 2^32 */
        if (octaves < FAR) {
            total += sd_exp2_q8(FAR - octaves);
        }
    }
    return (uint16_t)sd_divide((uint32_t)SD_CERTAIN << 15, total);
}
