/* Rows of int8 weights times a vector of int16, in blocks of four rows that share each operand.
 *
 * A weight is stored plus 128: on a Cortex-M0 an unsigned byte loads in one instruction. Within a
 * block, columns in pairs, for each pair a0 b0 a1 b1 c0 d0 c1 d1, and an odd last one as a b c d:
 * every other byte of a word is a row's pair (sd_dsp.h).
 *
 * Accumulators start from the bias minus sd_rows_excess of the operand. spoken_digits/integer/
 * limits.py proves that no partial sum leaves int32, for any weights. */
#ifndef SD_ROWS_H
#define SD_ROWS_H

#include <stdint.h>

#include "sd_fixed.h"
#include "sd_rows_dsp.h"
#if SD_AVX2
#include "sd_rows_avx2.h"
#endif

/* Whether two vectors at once pay: each weight is loaded once for both, in eight accumulators. A
 * Cortex-M0 lacks the registers. */
#if SD_THUMB2
#define SD_ROWS_TWO 1
#else
#define SD_ROWS_TWO 0
#endif

enum { SD_WEIGHT_OFFSET = 128 };

/* 128 sum(v): the excess in the accumulators, since stored weights are 128 too large. */
static inline int32_t sd_rows_excess(const int16_t *operand, uint32_t n)
{
#if SD_AVX2
    return SD_WEIGHT_OFFSET * sd_avx2_sum(operand, n);
#else
    int32_t sum = 0;
#if SD_DSP
    for (; n >= 4u; n -= 4u, operand += 4) {
        sum = sd_dsp_multiply(sd_dsp_load(operand), SD_DSP_ONES, sum);
        sum = sd_dsp_multiply(sd_dsp_load(operand + 2), SD_DSP_ONES, sum);
    }
#endif
    while (n-- > 0u) {
        sum += *operand++;
    }
    return SD_WEIGHT_OFFSET * sum;
#endif
}

#if !SD_AVX2 && !SD_DSP
#define SD_ROWS_ADD(at, x)                                                                         \
    do {                                                                                           \
        int32_t product = weights[at] * v;                                                         \
        SD_OPAQUE_LOW(product);                                                                      \
        x += product;                                                                              \
        SD_OPAQUE_LOW(x);                                                                            \
    } while (0)

/* Column k of four rows: adds its products to a, b, c and d. */
#define SD_ROWS_COLUMN(k, first, step)                                                             \
    do {                                                                                           \
        const int32_t v = operand[k];                                                              \
        SD_ROWS_ADD(first, a);                                                                     \
        SD_ROWS_ADD((first) + 1, b);                                                               \
        SD_ROWS_ADD((first) + (step), c);                                                          \
        SD_ROWS_ADD((first) + (step) + 1, d);                                                      \
    } while (0)

/* Four rows times one vector, from the biases and the excess; returns the weights that follow. */
static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int32_t *bias,
                                              const int16_t *operand, uint32_t n, int32_t excess,
                                              int32_t accumulator[4])
{
    const uint8_t *const end = weights + 4u * (n & ~3u);
    int32_t a = bias[0] - excess;
    int32_t b = bias[1] - excess;
    int32_t c = bias[2] - excess;
    int32_t d = bias[3] - excess;

    for (; weights != end; weights += 16, operand += 4) {
        SD_ROWS_COLUMN(0, 0, 4);
        SD_ROWS_COLUMN(1, 2, 4);
        SD_ROWS_COLUMN(2, 8, 4);
        SD_ROWS_COLUMN(3, 10, 4);
    }
    if ((n & 2u) != 0u) {
        SD_ROWS_COLUMN(0, 0, 4);
        SD_ROWS_COLUMN(1, 2, 4);
        operand += 2;
        weights += 8;
    }
    if ((n & 1u) != 0u) {
        SD_ROWS_COLUMN(0, 0, 2);
        weights += 4;
    }
    accumulator[0] = a;
    accumulator[1] = b;
    accumulator[2] = c;
    accumulator[3] = d;
    return weights;
}

#undef SD_ROWS_COLUMN
#undef SD_ROWS_ADD
#endif

#if SD_ROWS_TWO && !SD_DSP
/* A weight times v and w. Volatile assembly keeps the order, as sd_dsp.h explains. */
#define SD_ROWS_TWICE(at, x, y)                                                                    \
    do {                                                                                           \
        const int32_t weight = weights[at];                                                        \
        x += weight * v;                                                                           \
        y += weight * w;                                                                           \
        __asm__ volatile("" : "+r"(x), "+r"(y));                                                                         \
    } while (0)

/* Column k of four rows, times two vectors; leaves the results in a..d and e..h. */
#define SD_ROWS_COLUMN(k, first, step)                                                             \
    do {                                                                                           \
        const int32_t v = operand[k];                                                              \
        const int32_t w = operand[(k) + 2];                                                        \
        SD_ROWS_TWICE(first, a, e);                                                                \
        SD_ROWS_TWICE(first + 1, b, f);                                                            \
        SD_ROWS_TWICE(first + step, c, g);                                                         \
        SD_ROWS_TWICE(first + step + 1, d, h);                                                     \
    } while (0)

/* sd_rows_multiply for two vectors: half as many weights to load. They lie pair by pair, v0 v1 w0
 * w1 v2 v3 w2 w3 and so on, so that one pointer serves both. */
static inline const uint8_t *sd_rows_multiply_two(const uint8_t *weights, const int32_t *bias,
                                                  const int16_t *operand, uint32_t n,
                                                  const int32_t excess[2], int32_t accumulator[8])
{
    const uint8_t *const end = weights + 4u * (n & ~3u);
    int32_t a = bias[0] - excess[0];
    int32_t b = bias[1] - excess[0];
    int32_t c = bias[2] - excess[0];
    int32_t d = bias[3] - excess[0];
    int32_t e = bias[0] - excess[1];
    int32_t f = bias[1] - excess[1];
    int32_t g = bias[2] - excess[1];
    int32_t h = bias[3] - excess[1];

    for (; weights != end; weights += 16, operand += 8) {
        SD_OPAQUE(operand);
        SD_ROWS_COLUMN(0, 0, 4);
        SD_ROWS_COLUMN(1, 2, 4);
        SD_ROWS_COLUMN(4, 8, 4);
        SD_ROWS_COLUMN(5, 10, 4);
    }
    if ((n & 2u) != 0u) {
        SD_ROWS_COLUMN(0, 0, 4);
        SD_ROWS_COLUMN(1, 2, 4);
        weights += 8;
        operand += 4;
    }
    if ((n & 1u) != 0u) {
        SD_ROWS_COLUMN(0, 0, 2);
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

#undef SD_ROWS_COLUMN
#undef SD_ROWS_TWICE
#endif

/* The same as a function: one copy of the code for all that can spare a call. */
const uint8_t *sd_rows_block(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                             uint32_t n, int32_t excess, int32_t accumulator[4]);

#endif
