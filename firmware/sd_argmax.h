/* The recognised word: index of the largest logit. */
#ifndef SD_ARGMAX_H
#define SD_ARGMAX_H

#include <stdint.h>

/* Index of the largest logit, the lowest among equals; n_classes >= 1. */
static inline uint16_t sd_argmax(const int32_t *logits, uint16_t n_classes)
{
    uint16_t best = 0;
    for (uint16_t c = 1; c < n_classes; c++) {
        if (logits[c] > logits[best]) {
            best = c;
        }
    }
    return best;
}

#endif
