/* What every operator does with an accumulator before it is stored. */
#ifndef SD_RELU_H
#define SD_RELU_H

#include <stdint.h>

#if defined(__ARM_FEATURE_SAT) && !defined(SD_PORTABLE)
#include <arm_acle.h>
#endif

/* min(max(accumulator >> shift, 0), 255); rounded where the accumulator holds half a step. */
static inline uint8_t sd_relu(int32_t accumulator, uint32_t shift)
{
    const int32_t x = accumulator >> shift;
#if defined(__ARM_FEATURE_SAT) && !defined(SD_PORTABLE)
    return (uint8_t)__usat(x, 8);
#else
    if (x < 0) {
        return 0;
    }
    return (uint8_t)(x > 255 ? 255 : x);
#endif
}

#endif
