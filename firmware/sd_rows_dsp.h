/* sd_rows_multiply with Arm's DSP instructions: two products in one (sd_dsp.h). */
#ifndef SD_ROWS_DSP_H
#define SD_ROWS_DSP_H

#include "sd_dsp.h"

#if SD_DSP
static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int16_t *operand,
                                              uint32_t n, int32_t accumulator[4])
{
    const uint8_t *const end = weights + 4u * (n & ~3u);
    int32_t a = accumulator[0];
    int32_t b = accumulator[1];
    int32_t c = accumulator[2];
    int32_t d = accumulator[3];
    uint32_t v;
    uint32_t w;

    for (; weights != end; weights += 16, operand += 4) {
        v = sd_dsp_load(operand);
        w = sd_dsp_load(weights);
        a = sd_dsp_multiply(sd_dsp_even(w), v, a);
        b = sd_dsp_multiply(sd_dsp_odd(w), v, b);
        w = sd_dsp_load(weights + 4);
        c = sd_dsp_multiply(sd_dsp_even(w), v, c);
        d = sd_dsp_multiply(sd_dsp_odd(w), v, d);
        v = sd_dsp_load(operand + 2);
        w = sd_dsp_load(weights + 8);
        a = sd_dsp_multiply(sd_dsp_even(w), v, a);
        b = sd_dsp_multiply(sd_dsp_odd(w), v, b);
        w = sd_dsp_load(weights + 12);
        c = sd_dsp_multiply(sd_dsp_even(w), v, c);
        d = sd_dsp_multiply(sd_dsp_odd(w), v, d);
    }
    if ((n & 2u) != 0u) {
        v = sd_dsp_load(operand);
        w = sd_dsp_load(weights);
        a = sd_dsp_multiply(sd_dsp_even(w), v, a);
        b = sd_dsp_multiply(sd_dsp_odd(w), v, b);
        w = sd_dsp_load(weights + 4);
        c = sd_dsp_multiply(sd_dsp_even(w), v, c);
        d = sd_dsp_multiply(sd_dsp_odd(w), v, d);
        weights += 8;
        operand += 2;
    }
    if ((n & 1u) != 0u) {
        const int32_t last = operand[0];
        a += weights[0] * last;
        b += weights[1] * last;
        c += weights[2] * last;
        d += weights[3] * last;
        weights += 4;
    }
    accumulator[0] = a;
    accumulator[1] = b;
    accumulator[2] = c;
    accumulator[3] = d;
    return weights;
}
#endif

#endif
