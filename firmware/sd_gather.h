/* What the window of a convolution sees, as a vector: for weights of either code.
 *
 * Not inline, so that a file with two calls has one copy. */
#ifndef SD_GATHER_H
#define SD_GATHER_H

#include <stdint.h>

#include "sd_operators.h"

static int16_t *sd_gather_zeros(int16_t *operand, uint32_t n)
{
    while (n-- > 0u) {
        *operand++ = 0;
    }
    return operand;
}

/* n values from `offset` on, widened; adds them to *sum. */
static int16_t *sd_gather_values(int16_t *operand, const void *frame, uint32_t offset, uint32_t n,
                                 uint32_t wide, int32_t *sum)
{
    int32_t total = *sum;
    if (wide != 0u) {
        const int16_t *values = (const int16_t *)frame + offset;
        for (const int16_t *end = values + n; values != end; values++) {
            total += *values;
            *operand++ = *values;
        }
    } else {
        const uint8_t *values = (const uint8_t *)frame + offset;
        for (const uint8_t *end = values + n; values != end; values++) {
            total += *values;
            *operand++ = *values;
        }
    }
    *sum = total;
    return operand;
}

/* What the window sees at an output band; returns the sum of it. */
static int32_t sd_gather(const sd_convolution_parameters *convolution, const sd_step *step,
                         uint32_t band, int16_t *operand)
{
    const sd_window *window = &convolution->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;
    const int32_t beyond = first + window->kernel_bands - window->bands_in;
    const uint32_t before = first < 0 ? (uint32_t)-first : 0u;
    const uint32_t after = beyond > 0 ? (uint32_t)beyond : 0u;
    const uint32_t n_in = convolution->n_in;
    const uint32_t offset = (uint32_t)(first + (int32_t)before) * n_in;
    const uint32_t n = (window->kernel_bands - before - after) * n_in;
    int32_t sum = 0;

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        if (step->frames[k] == 0) {
            operand = sd_gather_zeros(operand, window->kernel_bands * n_in);
            continue;
        }
        operand = sd_gather_zeros(operand, before * n_in);
        operand = sd_gather_values(operand, step->frames[k], offset, n, convolution->wide, &sum);
        operand = sd_gather_zeros(operand, after * n_in);
    }
    return sum;
}

#endif
