/* Convolution over frames and bands, and a ReLU: see sd_operators.h. */
#include "sd_gather.h"
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows.h"

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
            SD_WEIGHT_OFFSET * sd_gather(convolution, step, band, operand),
            SD_WEIGHT_OFFSET * sd_gather(convolution, step, band + 1u, second),
        };
        multiply_two(convolution, operand, second, n_columns, excess, output);
    }
#endif
    for (; band < window->bands_out; band++) {
        const int32_t excess = SD_WEIGHT_OFFSET * sd_gather(convolution, step, band, operand);
        output = multiply(convolution, operand, n_columns, excess, output);
    }
}
