/* Convolution over frames and bands, and a ReLU: see sd_operators.h. */
#include "sd_gather.h"
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows.h"

#if !SD_AVX2
/* Up to four channels of an output band. */
static inline void store(const int32_t accumulator[4], uint32_t shift, uint32_t n, uint8_t *output)
{
    output[0] = sd_relu(accumulator[0], shift);
    if (n > 3u) {
        output[1] = sd_relu(accumulator[1], shift);
        output[2] = sd_relu(accumulator[2], shift);
        output[3] = sd_relu(accumulator[3], shift);
    } else if (n > 1u) {
        output[1] = sd_relu(accumulator[1], shift);
        if (n > 2u) {
            output[2] = sd_relu(accumulator[2], shift);
        }
    }
}

/* All channels of an output band. */
static void multiply(const sd_convolution_parameters *convolution, const int16_t *operand,
                     uint32_t n_columns, int32_t excess, uint8_t *output)
{
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    const uint32_t shift = convolution->shift;

    for (uint32_t left = convolution->n_out;; left -= 4u, bias += 4, output += 4) {
        int32_t accumulator[4];
        weights = sd_rows_block(weights, bias, operand, n_columns, excess, accumulator);
        store(accumulator, shift, left, output);
        if (left <= 4u) {
            return;
        }
    }
}
#endif

#if SD_ROWS_TWO
/* All channels of two output bands. */
static void multiply_two(const sd_convolution_parameters *convolution, const int16_t *operand,
                         uint32_t n_columns, const int32_t excess[2], uint8_t *output)
{
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    const uint32_t n_out = convolution->n_out;

    for (uint32_t left = n_out;; left -= 4u, bias += 4, output += 4) {
        int32_t accumulator[8];
        weights = sd_rows_multiply_two(weights, bias, operand, n_columns, excess, accumulator);
        /* the shift is loaded again: there are no registers to spare */
        store(accumulator, convolution->shift, left, output);
        store(accumulator + 4, convolution->shift, left, output + n_out);
        if (left <= 4u) {
            return;
        }
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
    for (; band + 1u < window->bands_out; band += 2u, output += 2u * convolution->n_out) {
        const int32_t excess[2] = {
            SD_WEIGHT_OFFSET * sd_gather(convolution, step, band, operand, 2),
            SD_WEIGHT_OFFSET * sd_gather(convolution, step, band + 1u, operand + 2, 2),
        };
        multiply_two(convolution, operand, n_columns, excess, output);
    }
#endif
    for (; band < window->bands_out; band++, output += convolution->n_out) {
        const int32_t excess = SD_WEIGHT_OFFSET * sd_gather(convolution, step, band, operand, 0);
#if SD_AVX2
        sd_avx2_convolution(convolution, operand, n_columns, excess, output);
#else
        multiply(convolution, operand, n_columns, excess, output);
#endif
    }
}
