/* The logits, weights of powers of two: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_rows_pow2.h"

void sd_linear_pow2(const void *parameters, const sd_step *step)
{
    const sd_linear_parameters *linear = parameters;
    const uint32_t block_bytes = sd_rows_pow2_bytes(linear->n_inputs);
    const uint8_t *weights = linear->weights;
    const int32_t *bias = linear->bias;
    int32_t *logits = step->output;
    uint32_t n = linear->n_outputs;

    while (n > 0u) {
        const uint32_t filled = (n + 3u) & ~(uint32_t)3;
        const uint32_t n_rows = filled < SD_ROWS_POW2 ? filled : SD_ROWS_POW2;
        sd_rows_pow2_sums sums;

        sd_rows_pow2(weights, bias, step->frames[0], linear->n_inputs, n_rows, &sums);
        for (uint32_t row = 0; row < n_rows && n > 0u; row++, n--) {
            *logits++ = sums.accumulator[row];
        }
        weights += n_rows / 4u * block_bytes;
        bias += n_rows;
    }
}
