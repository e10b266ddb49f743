/* Convolution of each channel by itself, weights of powers of two, and a ReLU:
 * see sd_operators.h. */
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows_pow2.h"
#include "sd_taps.h"

void sd_depthwise_pow2(const void *parameters, const sd_step *step)
{
    const sd_depthwise_parameters *depthwise = parameters;
    const sd_window *window = &depthwise->window;
    const uint32_t n_taps = (uint32_t)window->kernel_frames * window->kernel_bands;
    const uint8_t *taps[SD_MAX_TAPS + 1];
    uint8_t *output = step->output;

    taps[n_taps] = depthwise->zeros; /* for the pair of an odd last one */
    for (uint32_t band = 0; band < window->bands_out; band++) {
        const uint8_t *codes = (const uint8_t *)depthwise->weights;

        sd_find_taps(depthwise, step, band, taps);
        for (uint32_t c = 0; c < depthwise->n_channels; c++) {
            int32_t accumulator = depthwise->bias[c];
            for (uint32_t tap = 0; tap < n_taps; tap += 2u, codes++) {
                accumulator += sd_rows_pow2_product(*codes & 15u, taps[tap][c]);
                accumulator += sd_rows_pow2_product(*codes >> 4, taps[tap + 1u][c]);
            }
            *output++ = sd_relu(accumulator, depthwise->shift[c]);
        }
    }
}
