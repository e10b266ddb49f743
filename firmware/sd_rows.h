/* Rows of int8 weights times a vector of int16, in blocks of four rows that share each operand.
 *
 * A weight is stored plus 128: on a Cortex-M0 an unsigned byte loads in one instruction. Within a
 * block, columns in pairs, for each pair a0 a1 b0 b1 c0 c1 d0 d1, and an odd last column as a b c d.
 *
 * Accumulators start from the bias minus sd_rows_excess of the operand. spoken_digits/integer/
 * limits.py proves that no partial sum leaves int32, for any weights. */
#ifndef SD_ROWS_H
#define SD_ROWS_H

#include <stdint.h>

enum { SD_WEIGHT_OFFSET = 128 };

/* 128 sum(v): the excess in the accumulators, since stored weights are 128 too large. */
static inline int32_t sd_rows_excess(const int16_t *operand, uint32_t n)
{
    int32_t sum = 0;
    while (n-- > 0u) {
        sum += *operand++;
    }
    return SD_WEIGHT_OFFSET * sum;
}

/* Four rows times one vector; returns the weights that follow. */
static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int16_t *operand,
                                              uint32_t n, int32_t accumulator[4])
{
    int32_t i = accumulator[0];
    int32_t f = accumulator[1];
    int32_t g = accumulator[2];
    int32_t o = accumulator[3];

    for (; n >= 4u; n -= 4u, operand += 4, weights += 16) {
        int32_t v = operand[0];
        i += weights[0] * v;
        f += weights[2] * v;
        g += weights[4] * v;
        o += weights[6] * v;
        v = operand[1];
        i += weights[1] * v;
        f += weights[3] * v;
        g += weights[5] * v;
        o += weights[7] * v;
        v = operand[2];
        i += weights[8] * v;
        f += weights[10] * v;
        g += weights[12] * v;
        o += weights[14] * v;
        v = operand[3];
        i += weights[9] * v;
        f += weights[11] * v;
        g += weights[13] * v;
        o += weights[15] * v;
    }
    if (n >= 2u) {
        int32_t v = operand[0];
        i += weights[0] * v;
        f += weights[2] * v;
        g += weights[4] * v;
        o += weights[6] * v;
        v = operand[1];
        i += weights[1] * v;
        f += weights[3] * v;
        g += weights[5] * v;
        o += weights[7] * v;
        operand += 2;
        weights += 8;
    }
    if ((n & 1u) != 0u) {
        const int32_t v = operand[0];
        i += weights[0] * v;
        f += weights[1] * v;
        g += weights[2] * v;
        o += weights[3] * v;
        weights += 4;
    }
    accumulator[0] = i;
    accumulator[1] = f;
    accumulator[2] = g;
    accumulator[3] = o;
    return weights;
}

#endif
