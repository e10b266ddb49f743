/* Blocks of rows as functions of their own: see sd_rows.h. */
#include "sd_rows.h"

const uint8_t *sd_rows_block(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                             uint32_t n, int32_t excess, int32_t accumulator[4])
{
    return sd_rows_multiply(weights, bias, operand, n, excess, accumulator);
}

#if SD_ROWS_TWO
const uint8_t *sd_rows_two_blocks(const uint8_t *weights, const int32_t *bias,
                                  const int16_t *operand, const int16_t *second, uint32_t n,
                                  const int32_t excess[2], int32_t accumulator[8])
{
    return sd_rows_multiply_two(weights, bias, operand, second, n, excess, accumulator);
}
#endif
