/* What every operator does with an accumulator before it is stored. */
#ifndef SD_RELU_H
#define SD_RELU_H

#include "sd_fixed.h"

/* min(max(accumulator >> shift, 0), 255); rounded where the accumulator holds half a step. */
static inline uint8_t sd_relu(int32_t accumulator, uint32_t shift)
{
    int32_t x = accumulator >> shift;
#if SD_SATURATES
    __asm__("usat %0, #8, %1" : "=r"(x) : "r"(x));
    return (uint8_t)x;
#else
    if ((uint32_t)x > 255u) {
        x = ~(x >> 31); /* 0 below, all ones above */
    }
    return (uint8_t)x;
#endif
}

#endif
