/* The logits: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_rows.h"

void sd_linear(const void *parameters, const sd_step *step)
{
    const sd_linear_parameters *linear = parameters;
    const int16_t *operand = step->frames[0];
    const uint8_t *weights = linear->weights;
    const int32_t *bias = linear->bias;
    const int32_t excess = sd_rows_excess(operand, linear->n_inputs);
    int32_t *logits = step->output;
    uint32_t n = linear->n_outputs;

    while (n > 0u) {
        int32_t accumulator[4];
        weights = sd_rows_block(weights, bias, operand, linear->n_inputs, excess, accumulator);
        bias += 4;
        for (uint32_t row = 0; row < 4u && n > 0u; row++, n--) {
            *logits++ = accumulator[row];
        }
    }
}
