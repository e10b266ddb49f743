/* How sure a recogniser is of its word: see sd_confidence.h. */
#include "sd_confidence.h"

#include "sd_share.h"

uint16_t sd_confidence(const sd_confidence_spec *spec, const int32_t *logits, uint16_t n_classes,
                       uint16_t word)
{
    uint32_t total = 0; /* Q15: at most 2^15 a class */
    uint16_t c;
    for (c = 0; c < n_classes; c++) {
        total += sd_share(spec, logits[word], logits[c]);
    }
    return (uint16_t)sd_divide((uint32_t)SD_CERTAIN << 15, total);
}
