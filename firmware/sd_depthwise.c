/* Convolution of each channel by itself, and a ReLU: see sd_operators.h. */
#include "sd_dsp.h"
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

#if SD_DSP
/* Four taps of two channels: a pair of bytes of taps 0 and 2, and of 1 and 3. */
static inline void add_two(const int8_t *w, uint32_t taps_0_2, uint32_t taps_1_3, int32_t sum[2])
{
    uint32_t four = sd_dsp_load(w);
    sum[0] = sd_dsp_multiply(sd_dsp_signed_even(four), sd_dsp_even(taps_0_2), sum[0]);
    sum[0] = sd_dsp_multiply(sd_dsp_signed_odd(four), sd_dsp_even(taps_1_3), sum[0]);
    four = sd_dsp_load(w + 9);
    sum[1] = sd_dsp_multiply(sd_dsp_signed_even(four), sd_dsp_odd(taps_0_2), sum[1]);
    sum[1] = sd_dsp_multiply(sd_dsp_signed_odd(four), sd_dsp_odd(taps_1_3), sum[1]);
}

/* Four taps of four channels. */
static inline void add_block(const int8_t *w, const uint8_t *const *taps, uint32_t c,
                             int32_t sum[4])
{
    const uint32_t x0 = sd_dsp_load(taps[0] + c);
    const uint32_t x1 = sd_dsp_load(taps[1] + c);
    const uint32_t x2 = sd_dsp_load(taps[2] + c);
    const uint32_t x3 = sd_dsp_load(taps[3] + c);
    add_two(w, sd_dsp_low_halves(x0, x2), sd_dsp_low_halves(x1, x3), sum);
    add_two(w + 18, sd_dsp_high_halves(x0, x2), sd_dsp_high_halves(x1, x3), sum + 2);
}
/* 3 x 3, the usual case: four channels at once; returns how many are done. */
static uint32_t multiply_nine(const sd_depthwise_parameters *depthwise, const uint8_t *const *taps,
                              uint8_t *output)
{
    const int8_t *w = depthwise->weights;
    const int32_t *bias = depthwise->bias;
    const uint8_t *shift = depthwise->shift;
    uint32_t c = 0;

    for (; c + 4u <= depthwise->n_channels; c += 4u, w += 36) {
        int32_t sum[4] = {bias[c], bias[c + 1u], bias[c + 2u], bias[c + 3u]};
        add_block(w, taps, c, sum);
        add_block(w + 4, taps + 4, c, sum);
        sum[0] += w[8] * taps[8][c];
        sum[1] += w[17] * taps[8][c + 1u];
        sum[2] += w[26] * taps[8][c + 2u];
        sum[3] += w[35] * taps[8][c + 3u];
        output[c] = sd_relu(sum[0], shift[c]);
        output[c + 1u] = sd_relu(sum[1], shift[c + 1u]);
        output[c + 2u] = sd_relu(sum[2], shift[c + 2u]);
        output[c + 3u] = sd_relu(sum[3], shift[c + 3u]);
    }
    return c;
}
#else
static inline void add_tap(int32_t w, int32_t x, int32_t *sum)
{
    int32_t product = w * x;
    SD_OPAQUE_LOW(product);
    *sum += product;
    SD_OPAQUE_LOW(*sum);
}

/* 3 x 3, the usual case; returns the number of channels. */
static uint32_t multiply_nine(const sd_depthwise_parameters *depthwise, const uint8_t *const *taps,
                              uint8_t *output)
{
    const int8_t *w = depthwise->weights;
    const int32_t *bias = depthwise->bias;
    const uint8_t *shift = depthwise->shift;
    const uint32_t n_channels = depthwise->n_channels;

    for (uint32_t c = 0; c < n_channels; c++, w += 9) {
        int32_t accumulator = bias[c];
        add_tap(w[0], taps[0][c], &accumulator);
        add_tap(w[1], taps[1][c], &accumulator);
        add_tap(w[2], taps[2][c], &accumulator);
        add_tap(w[3], taps[3][c], &accumulator);
        add_tap(w[4], taps[4][c], &accumulator);
        add_tap(w[5], taps[5][c], &accumulator);
        add_tap(w[6], taps[6][c], &accumulator);
        add_tap(w[7], taps[7][c], &accumulator);
        add_tap(w[8], taps[8][c], &accumulator);
        output[c] = sd_relu(accumulator, shift[c]);
    }
    return n_channels;
}
#endif

/* Channels from c on. */
static void multiply_any(const sd_depthwise_parameters *depthwise, const uint8_t *const *taps,
                         uint32_t n_taps, uint32_t c, uint8_t *output)
{
    const int8_t *w = depthwise->weights + c * n_taps;

    for (; c < depthwise->n_channels; c++) {
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
        uint32_t done;
        find_taps(depthwise, step, band, taps);
        done = n_taps == 9u ? multiply_nine(depthwise, taps, output) : 0u;
        multiply_any(depthwise, taps, n_taps, done, output);
    }
}
