/* Rows of weights 0 or +-1, 2, 4, ..., 64 times a vector of int16, in blocks of four rows.
 *
 * Half a byte a weight: code 0 is zero, code m in 1..7 is 2^(m-1), code 8 + m is -2^(m-1). Within a
 * block a byte for each pair of columns and row in the order a b c d, low half the even column; an
 * odd last column is paired with zeros.
 *
 * spoken_digits/integer/limits.py proves that no partial sum leaves int32, for any weights. */
#ifndef SD_ROWS_POW2_H
#define SD_ROWS_POW2_H

#include <stdint.h>

enum {
    SD_ROWS_POW2 = 48,      /* rows that share the products */
    SD_ROWS_POW2_CODES = 16 /* of a weight */
};

/* What the caller has on its stack for them. */
typedef struct {
    int32_t accumulator[SD_ROWS_POW2];
    int32_t even[SD_ROWS_POW2_CODES]; /* products of two operands with every weight */
    int32_t odd[SD_ROWS_POW2_CODES];
} sd_rows_pow2_sums;

/* Of a block. */
static inline uint32_t sd_rows_pow2_bytes(uint32_t n_columns)
{
    return 4u * ((n_columns + 1u) / 2u);
}

/* A weight times a value that no other row shares. */
static inline int32_t sd_rows_pow2_product(uint32_t code, uint8_t value)
{
    const uint32_t magnitude = code & 7u;
    const int32_t product = magnitude != 0u ? (int32_t)value << (magnitude - 1u) : 0;
    return code < SD_ROWS_POW2_CODES / 2u ? product : -product;
}

/* accumulator[row] = bias[row] + sum of products; n_rows: a multiple of 4, at most SD_ROWS_POW2. */
void sd_rows_pow2(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint32_t n_columns, uint32_t n_rows, sd_rows_pow2_sums *sums);

#endif
