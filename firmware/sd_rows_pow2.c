/* Shifts and adds in place of multiplication: see sd_rows_pow2.h.
 *
 * For each pair of columns, doubling and negating give the sixteen possible products of each
 * operand; each weight then costs one look-up and one addition. */
#include "sd_rows_pow2.h"

enum { NEGATIVE = 8 /* codes from here on are negative */ };

/* product[code] = weight(code) * operand */
static void lay_out_products(int32_t product[SD_ROWS_POW2_CODES], int32_t operand)
{
    product[0] = 0;
    product[NEGATIVE] = 0;
    product[1] = operand;
    product[NEGATIVE + 1] = -operand;
    operand += operand;
    product[2] = operand;
    product[NEGATIVE + 2] = -operand;
    operand += operand;
    product[3] = operand;
    product[NEGATIVE + 3] = -operand;
    operand += operand;
    product[4] = operand;
    product[NEGATIVE + 4] = -operand;
    operand += operand;
    product[5] = operand;
    product[NEGATIVE + 5] = -operand;
    operand += operand;
    product[6] = operand;
    product[NEGATIVE + 6] = -operand;
    operand += operand;
    product[7] = operand;
    product[NEGATIVE + 7] = -operand;
}

void sd_rows_pow2(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint32_t n_columns, uint32_t n_rows, sd_rows_pow2_sums *sums)
{
    const uint32_t block_bytes = sd_rows_pow2_bytes(n_columns);
    const int32_t *end = sums->accumulator + n_rows;
    int32_t *even = sums->even;
    int32_t *odd = sums->odd;

    for (int32_t *a = sums->accumulator; a != end; a++) {
        *a = *bias++;
    }
    for (uint32_t k = 0; k < n_columns; k += 2, weights += 4) {
        const uint8_t *row = weights;
        lay_out_products(even, operand[k]);
        lay_out_products(odd, k + 1u < n_columns ? operand[k + 1u] : 0);
        for (int32_t *a = sums->accumulator; a != end; a += 4, row += block_bytes) {
            a[0] += even[row[0] & 15u] + odd[row[0] >> 4];
            a[1] += even[row[1] & 15u] + odd[row[1] >> 4];
            a[2] += even[row[2] & 15u] + odd[row[2] >> 4];
            a[3] += even[row[3] & 15u] + odd[row[3] >> 4];
        }
    }
}
