/* Sum of two tensors, each brought to the scale of the result: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_relu.h"

enum { SHIFT = 14 };

void sd_sum(const void *parameters, const sd_step *step)
{
    const sd_sum_parameters *sum = parameters;
    int32_t half = (int32_t)1 << (SHIFT - 1);
    const int32_t factor_a = sum->factor[0];
    const int32_t factor_b = sum->factor[1];
    const uint8_t *a = step->frames[0];
    const uint8_t *b = step->frames[1];
    uint8_t *output = step->output;

    SD_OPAQUE(half); /* kept in a register */
    for (const uint8_t *end = a + sum->size; a != end; a++, b++) {
        int32_t first = half + *a * factor_a;
        SD_OPAQUE(first);
        *output++ = sd_relu(first + *b * factor_b, SHIFT);
    }
}
