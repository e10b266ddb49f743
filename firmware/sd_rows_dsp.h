/* sd_rows_multiply with Arm's DSP instructions: two products in one (sd_dsp.h). */
#ifndef SD_ROWS_DSP_H
#define SD_ROWS_DSP_H

#include "sd_dsp.h"

#if SD_DSP
/* Two columns of four rows. */
#define SD_ROWS_PAIR(weights, operand)                                                             \
    do {                                                                                           \
        const uint32_t v = sd_dsp_load(operand);                                                   \
        const uint32_t ab = sd_dsp_load(weights);                                                  \
        const uint32_t cd = sd_dsp_load((weights) + 4);                                            \
        a = sd_dsp_multiply(sd_dsp_even(ab), v, a);                                                \
        b = sd_dsp_multiply(sd_dsp_odd(ab), v, b);                                                 \
        c = sd_dsp_multiply(sd_dsp_even(cd), v, c);                                                \
        d = sd_dsp_multiply(sd_dsp_odd(cd), v, d);                                                 \
    } while (0)

static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int32_t *bias,
                                              const int16_t *operand, uint32_t n, int32_t excess,
                                              int32_t accumulator[4])
{
    const uint8_t *const end = weights + 4u * (n & ~7u);
    int32_t a = bias[0] - excess;
    int32_t b = bias[1] - excess;
    int32_t c = bias[2] - excess;
    int32_t d = bias[3] - excess;

    for (; weights != end; weights += 32, operand += 8) {
        SD_ROWS_PAIR(weights, operand);
        SD_ROWS_PAIR(weights + 8, operand + 2);
        SD_ROWS_PAIR(weights + 16, operand + 4);
        SD_ROWS_PAIR(weights + 24, operand + 6);
    }
    if ((n & 4u) != 0u) {
        SD_ROWS_PAIR(weights, operand);
        SD_ROWS_PAIR(weights + 8, operand + 2);
        weights += 16;
        operand += 4;
    }
    if ((n & 2u) != 0u) {
        SD_ROWS_PAIR(weights, operand);
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

#undef SD_ROWS_PAIR

/* Two columns of four rows, times two vectors; leaves the results in a..d and e..h. */
#define SD_ROWS_PAIR(weights, operand)                                                             \
    do {                                                                                           \
        const uint32_t v = sd_dsp_load(operand);                                                   \
        const uint32_t w = sd_dsp_load((operand) + 2);                                             \
        uint32_t four = sd_dsp_load(weights);                                                      \
        uint32_t pair = sd_dsp_even(four);                                                         \
        sd_dsp_add(pair, v, &a);                                                                   \
        sd_dsp_add(pair, w, &e);                                                                   \
        pair = sd_dsp_odd(four);                                                                   \
        sd_dsp_add(pair, v, &b);                                                                   \
        sd_dsp_add(pair, w, &f);                                                                   \
        four = sd_dsp_load((weights) + 4);                                                         \
        pair = sd_dsp_even(four);                                                                  \
        sd_dsp_add(pair, v, &c);                                                                   \
        sd_dsp_add(pair, w, &g);                                                                   \
        pair = sd_dsp_odd(four);                                                                   \
        sd_dsp_add(pair, v, &d);                                                                   \
        sd_dsp_add(pair, w, &h);                                                                   \
    } while (0)

/* sd_rows_multiply for two vectors, pair by pair: half as many weights to take apart. */
static inline const uint8_t *sd_rows_multiply_two(const uint8_t *weights, const int32_t *bias,
                                                  const int16_t *operand, uint32_t n,
                                                  const int32_t excess[2], int32_t accumulator[8])
{
    const uint8_t *const end = weights + 4u * (n & ~7u);
    int32_t a = bias[0] - excess[0];
    int32_t b = bias[1] - excess[0];
    int32_t c = bias[2] - excess[0];
    int32_t d = bias[3] - excess[0];
    int32_t e = bias[0] - excess[1];
    int32_t f = bias[1] - excess[1];
    int32_t g = bias[2] - excess[1];
    int32_t h = bias[3] - excess[1];

    for (; weights != end; weights += 32, operand += 16) {
        SD_ROWS_PAIR(weights, operand);
        SD_ROWS_PAIR(weights + 8, operand + 4);
        SD_ROWS_PAIR(weights + 16, operand + 8);
        SD_ROWS_PAIR(weights + 24, operand + 12);
    }
    for (uint32_t left = n & 6u; left != 0u; left -= 2u) {
        SD_ROWS_PAIR(weights, operand);
        weights += 8;
        operand += 4;
    }
    if ((n & 1u) != 0u) {
        const int32_t v = operand[0];
        const int32_t w = operand[2];
        a += weights[0] * v;
        b += weights[1] * v;
        c += weights[2] * v;
        d += weights[3] * v;
        e += weights[0] * w;
        f += weights[1] * w;
        g += weights[2] * w;
        h += weights[3] * w;
        weights += 4;
    }
    accumulator[0] = a;
    accumulator[1] = b;
    accumulator[2] = c;
    accumulator[3] = d;
    accumulator[4] = e;
    accumulator[5] = f;
    accumulator[6] = g;
    accumulator[7] = h;
    return weights;
}

#undef SD_ROWS_PAIR
#endif

#endif
