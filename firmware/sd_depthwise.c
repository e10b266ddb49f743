/* Convolution of each channel by itself, and a ReLU: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_relu.h"

/* Where the window reads the channels of an output band, tap by tap. */
static void find_taps(const sd_depthwise_parameters *depthwise, const sd_step *step, uint32_t band,
                      const uint8_t **taps)
{
    const sd_window *window = &depthwise->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        const uint8_t *frame = step->frames[k];
        for (int32_t i = first; i < first + window->kernel_bands; i++) {
            const int outside = frame == 0 || i < 0 || i >= window->bands_in;
            *taps++ = outside ? depthwise->zeros : frame + (uint32_t)i * depthwise->n_channels;
        }
    }
}

/* 3 x 3: the usual case. */
static void multiply_nine(const sd_depthwise_parameters *depthwise, const uint8_t *const *taps,
                          uint8_t *output)
{
    const int8_t *w = depthwise->weights;
    const int32_t *bias = depthwise->bias;
    const uint8_t *shift = depthwise->shift;
    const uint32_t n_channels = depthwise->n_channels;

    for (uint32_t c = 0; c < n_channels; c++, w += 9) {
        int32_t accumulator = bias[c];
        accumulator += (int32_t)w[0] * taps[0][c];
        accumulator += (int32_t)w[1] * taps[1][c];
        accumulator += (int32_t)w[2] * taps[2][c];
        accumulator += (int32_t)w[3] * taps[3][c];
        accumulator += (int32_t)w[4] * taps[4][c];
        accumulator += (int32_t)w[5] * taps[5][c];
        accumulator += (int32_t)w[6] * taps[6][c];
        accumulator += (int32_t)w[7] * taps[7][c];
        accumulator += (int32_t)w[8] * taps[8][c];
        output[c] = sd_relu(accumulator, shift[c]);
    }
}

static void multiply_any(const sd_depthwise_parameters *depthwise, const uint8_t *const *taps,
                         uint32_t n_taps, uint8_t *output)
{
    const int8_t *w = depthwise->weights;

    for (uint32_t c = 0; c < depthwise->n_channels; c++) {
        int32_t accumulator = depthwise->bias[c];
        for (uint32_t tap = 0; tap < n_taps; tap++) {
            accumulator += (int32_t)*w++ * taps[tap][c];
        }
        output[c] = sd_relu(accumulator, depthwise->shift[c]);
    }
}

void sd_depthwise(const void *parameters, const sd_step *step)
{
    const sd_depthwise_parameters *depthwise = parameters;
    const sd_window *window = &depthwise->window;
    const uint32_t n_taps = (uint32_t)window->kernel_frames * window->kernel_bands;
    const uint8_t *taps[SD_MAX_TAPS];
    uint8_t *output = step->output;

    for (uint32_t band = 0; band < window->bands_out; band++, output += depthwise->n_channels) {
        find_taps(depthwise, step, band, taps);
        if (n_taps == 9u) {
            multiply_nine(depthwise, taps, output);
        } else {
            multiply_any(depthwise, taps, n_taps, output);
        }
    }
}
