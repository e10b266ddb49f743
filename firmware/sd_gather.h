/* What the window of a convolution sees, as a vector: for weights of either code.
 *
 * Not inline, so that a file with several calls has one copy. */
#ifndef SD_GATHER_H
#define SD_GATHER_H

#include <stdint.h>

#include "sd_dsp.h"
#include "sd_fixed.h"
#include "sd_operators.h"
#if SD_AVX2
#include "sd_windows_avx2.h"
#endif

/* Where the columns of a vector go: side by side, or in pairs with a gap of two for those of
 * another vector (sd_rows.h). */
typedef struct {
    int16_t *next;
    uint32_t step; /* from this column to the next: 1, and behind a pair 1 + gap */
    uint32_t gap;  /* 0 or 2 */
    int32_t sum;
} sd_columns;

static inline void sd_gather_put(sd_columns *to, int32_t value)
{
    to->sum += value;
    *to->next = (int16_t)value;
    to->next += to->step;
    to->step ^= to->gap;
}

static SD_UNUSED void sd_gather_zeros(sd_columns *to, uint32_t n)
{
    while (n-- > 0u) {
        sd_gather_put(to, 0);
    }
}

/* n values, widened. */
static SD_UNUSED void sd_gather_values(sd_columns *to, const void *frame, uint32_t offset,
                                       uint32_t n, uint32_t wide)
{
    const int16_t *wide_values = (const int16_t *)frame + offset;
    const uint8_t *values = (const uint8_t *)frame + offset;

    if (wide != 0u) {
        for (const int16_t *end = wide_values + n; wide_values != end; wide_values++) {
            sd_gather_put(to, *wide_values);
        }
        return;
    }
#if SD_AVX2
    if (to->gap == 0u) {
        to->sum += sd_avx2_widen(values, n, to->next);
        to->next += n;
        return;
    }
#endif
    if (to->step == 1u) {
        const uint32_t pair = 2u + to->gap;
        int16_t *next = to->next;
        int32_t sum = to->sum;
#if SD_DSP
        for (; n >= 4u; n -= 4u, values += 4, next += 2u * pair) {
            const uint32_t four = sd_dsp_load(values);
            const uint32_t even = sd_dsp_even(four), odd = sd_dsp_odd(four);
            sd_dsp_store(next, sd_dsp_low_halves(even, odd));
            sd_dsp_store(next + pair, sd_dsp_high_halves(even, odd));
            sum = sd_dsp_multiply(even + odd, SD_DSP_ONES, sum);
        }
#endif
        for (; n >= 2u; n -= 2u, values += 2, next += pair) {
            sum += (int32_t)values[0] + values[1];
            next[0] = values[0];
            next[1] = values[1];
        }
        to->next = next;
        to->sum = sum;
    }
    while (n-- > 0u) {
        sd_gather_put(to, *values++);
    }
}

/* What the window sees at an output band; returns the sum of it. */
static SD_UNUSED int32_t sd_gather(const sd_convolution_parameters *convolution,
                                   const sd_step *step, uint32_t band, int16_t *operand,
                                   uint32_t gap)
{
    const sd_window *window = &convolution->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;
    const int32_t beyond = first + window->kernel_bands - window->bands_in;
    const uint32_t before = first < 0 ? (uint32_t)-first : 0u;
    const uint32_t after = beyond > 0 ? (uint32_t)beyond : 0u;
    const uint32_t n_in = convolution->n_in;
    const uint32_t offset = (uint32_t)(first + (int32_t)before) * n_in;
    const uint32_t n = (window->kernel_bands - before - after) * n_in;
    sd_columns to = {operand, 1, gap, 0};

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        if (step->frames[k] == 0) {
            sd_gather_zeros(&to, window->kernel_bands * n_in);
            continue;
        }
        sd_gather_zeros(&to, before * n_in);
        sd_gather_values(&to, step->frames[k], offset, n, convolution->wide);
        sd_gather_zeros(&to, after * n_in);
    }
    return to.sum;
}

#endif
