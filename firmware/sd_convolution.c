/* Convolution over frames and bands, and a ReLU: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows.h"

static int16_t *put_zeros(int16_t *operand, uint32_t n)
{
    while (n-- > 0u) {
        *operand++ = 0;
    }
    return operand;
}

/* n values from `offset` on, widened; adds them to *sum. */
static int16_t *put_values(int16_t *operand, const void *frame, uint32_t offset, uint32_t n,
                           uint32_t wide, int32_t *sum)
{
    int32_t total = *sum;
    if (wide != 0u) {
        const int16_t *values = (const int16_t *)frame + offset;
        for (const int16_t *end = values + n; values != end; values++) {
            total += *values;
            *operand++ = *values;
        }
    } else {
        const uint8_t *values = (const uint8_t *)frame + offset;
        for (const uint8_t *end = values + n; values != end; values++) {
            total += *values;
            *operand++ = *values;
        }
    }
    *sum = total;
    return operand;
}

/* What the window sees at an output band; returns the sum of it. */
static int32_t gather(const sd_convolution_parameters *convolution, const sd_step *step,
                      uint32_t band, int16_t *operand)
{
    const sd_window *window = &convolution->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;
    const int32_t beyond = first + window->kernel_bands - window->bands_in;
    const uint32_t before = first < 0 ? (uint32_t)-first : 0u;
    const uint32_t after = beyond > 0 ? (uint32_t)beyond : 0u;
    const uint32_t n_in = convolution->n_in;
    const uint32_t offset = (uint32_t)(first + (int32_t)before) * n_in;
    const uint32_t n = (window->kernel_bands - before - after) * n_in;
    int32_t sum = 0;

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        if (step->frames[k] == 0) {
            operand = put_zeros(operand, window->kernel_bands * n_in);
            continue;
        }
        operand = put_zeros(operand, before * n_in);
        operand = put_values(operand, step->frames[k], offset, n, convolution->wide, &sum);
        operand = put_zeros(operand, after * n_in);
    }
    return sum;
}

/* All channels of an output band. */
static uint8_t *multiply(const sd_convolution_parameters *convolution, const int16_t *operand,
                         uint32_t n_columns, int32_t excess, uint8_t *output)
{
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    const uint32_t shift = convolution->shift;
    uint8_t *const end = output + convolution->n_out;
    int32_t accumulator[4];

    for (;;) {
        weights = sd_rows_block(weights, bias, operand, n_columns, excess, accumulator);
        if (end - output < 4) {
            break;
        }
        bias += 4;
        output[0] = sd_relu(accumulator[0], shift);
        output[1] = sd_relu(accumulator[1], shift);
        output[2] = sd_relu(accumulator[2], shift);
        output[3] = sd_relu(accumulator[3], shift);
        output += 4;
        if (output == end) {
            return output;
        }
    }
    for (uint32_t row = 0; output != end; row++) {
        *output++ = sd_relu(accumulator[row], shift);
    }
    return output;
}

#if SD_ROWS_TWO
/* Up to four channels of an output band. */
static void store(const int32_t accumulator[4], uint32_t shift, uint32_t n, uint8_t *output)
{
    if (n >= 4u) {
        output[0] = sd_relu(accumulator[0], shift);
        output[1] = sd_relu(accumulator[1], shift);
        output[2] = sd_relu(accumulator[2], shift);
        output[3] = sd_relu(accumulator[3], shift);
        return;
    }
    for (uint32_t row = 0; row < n; row++) {
        output[row] = sd_relu(accumulator[row], shift);
    }
}

/* All channels of two output bands. */
static void multiply_two(const sd_convolution_parameters *convolution, const int16_t *operand,
                         const int16_t *second, uint32_t n_columns, const int32_t excess[2],
                         uint8_t *output)
{
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    const uint32_t n_out = convolution->n_out;

    for (uint32_t c = 0; c < n_out; c += 4u) {
        int32_t accumulator[8];
        weights =
            sd_rows_two_blocks(weights, &bias[c], operand, second, n_columns, excess, accumulator);
        store(accumulator, convolution->shift, n_out - c, &output[c]);
        store(accumulator + 4, convolution->shift, n_out - c, &output[n_out + c]);
    }
}
#endif

void sd_convolution(const void *parameters, const sd_step *step)
{
    const sd_convolution_parameters *convolution = parameters;
    const sd_window *window = &convolution->window;
    const uint32_t n_columns =
        (uint32_t)window->kernel_frames * window->kernel_bands * convolution->n_in;
    int16_t *operand = step->scratch;
    uint8_t *output = step->output;
    uint32_t band = 0;

#if SD_ROWS_TWO
    int16_t *second = operand + n_columns + n_columns % 2u; /* in a whole word */
    for (; band + 1u < window->bands_out; band += 2u, output += 2u * convolution->n_out) {
        const int32_t excess[2] = {
            SD_WEIGHT_OFFSET * gather(convolution, step, band, operand),
            SD_WEIGHT_OFFSET * gather(convolution, step, band + 1u, second),
        };
        multiply_two(convolution, operand, second, n_columns, excess, output);
    }
#endif
    for (; band < window->bands_out; band++) {
        const int32_t excess = SD_WEIGHT_OFFSET * gather(convolution, step, band, operand);
        output = multiply(convolution, operand, n_columns, excess, output);
    }
}
