/* Convolution over frames and bands, weights of powers of two, and a ReLU: see sd_operators.h. */
#include "sd_gather.h"
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows_pow2.h"

/* All channels of an output band. */
static uint8_t *multiply(const sd_convolution_parameters *convolution, const int16_t *operand,
                         uint32_t n_columns, uint8_t *output)
{
    const uint32_t block_bytes = sd_rows_pow2_bytes(n_columns);
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    uint32_t n = convolution->n_out;

    while (n > 0u) {
        const uint32_t filled = (n + 3u) & ~(uint32_t)3;
        const uint32_t n_rows = filled < SD_ROWS_POW2 ? filled : SD_ROWS_POW2;
        sd_rows_pow2_sums sums;

        sd_rows_pow2(weights, bias, operand, n_columns, n_rows, &sums);
        for (uint32_t row = 0; row < n_rows && n > 0u; row++, n--) {
            *output++ = sd_relu(sums.accumulator[row], convolution->shift);
        }
        weights += n_rows / 4u * block_bytes;
        bias += n_rows;
    }
    return output;
}

void sd_convolution_pow2(const void *parameters, const sd_step *step)
{
    const sd_convolution_parameters *convolution = parameters;
    const sd_window *window = &convolution->window;
    const uint32_t n_columns =
        (uint32_t)window->kernel_frames * window->kernel_bands * convolution->n_in;
    int16_t *operand = step->scratch;
    uint8_t *output = step->output;

    for (uint32_t band = 0; band < window->bands_out; band++) {
        (void)sd_gather(convolution, step, band, operand, 0);
        output = multiply(convolution, operand, n_columns, output);
    }
}
