/* Blocks of rows as functions of their own: see sd_rows.h. */
#include "sd_rows.h"

const uint8_t *sd_rows_block(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                             uint32_t n, int32_t excess, int32_t accumulator[4])
{
    return sd_rows_multiply(weights, bias, operand, n, excess, accumulator);
}
