/* Convolution of each channel by itself, and a ReLU: see sd_operators.h. */
#include "sd_dsp.h"
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_taps.h"
#if SD_AVX2
#include "sd_windows_avx2.h"
#endif

#if SD_THUMB2
/* A band of a channel in three frames, or weights for it. */
typedef struct {
#if SD_DSP
    uint32_t pair; /* of the first two frames */
#else
    int32_t first, second;
#endif
    int32_t third;
} three;

static inline three three_of(int32_t first, int32_t second, int32_t third)
{
#if SD_DSP
    const three x = {sd_dsp_low_halves((uint32_t)first, (uint32_t)second), third};
#else
    const three x = {first, second, third};
#endif
    return x;
}

static inline int32_t multiply_three(three w, three x, int32_t sum)
{
#if SD_DSP
    return sd_dsp_multiply(w.pair, x.pair, sum) + w.third * x.third;
#else
    return sum + w.first * x.first + w.second * x.second + w.third * x.third;
#endif
}

/* One channel in three frames, which all lie in the memory of the graph. */
typedef struct {
    const uint8_t *at;
    int32_t second, third; /* how far behind the first */
} lines;

static inline three read(const lines *channel)
{
    return three_of(channel->at[0], channel->at[channel->second], channel->at[channel->third]);
}

/* Every band of a channel, n_channels apart; w: for the band before, this band, the band behind. */
static inline void multiply_channel(lines channel, const uint8_t *last, const three w[3],
                                    int32_t bias, uint32_t shift, uint32_t n_channels,
                                    uint32_t stride, uint8_t *output)
{
    three x = read(&channel);
    int32_t sum = multiply_three(w[1], x, bias);

    while (channel.at != last) {
        int32_t next = stride == 1u ? multiply_three(w[0], x, bias) : 0;
        channel.at += n_channels;
        x = read(&channel);
        *output = sd_relu(multiply_three(w[2], x, sum), shift);
        output += n_channels;
        if (stride == 2u) {
            if (channel.at == last) {
                return;
            }
            next = multiply_three(w[0], x, bias);
            channel.at += n_channels;
            x = read(&channel);
        }
        sum = multiply_three(w[1], x, next);
    }
    *output = sd_relu(sum, shift);
}

/* The nine weights of a channel; 0 for frames beyond the ends of the clip. */
static void mask(const int8_t *weights, const void *const *frames, int8_t masked[9])
{
    for (uint32_t k = 0; k < 3u; k++, weights += 3, masked += 3) {
        const int exists = frames[k] != 0;
        masked[0] = exists ? weights[0] : 0;
        masked[1] = exists ? weights[1] : 0;
        masked[2] = exists ? weights[2] : 0;
    }
}

/* 3 x 3, the usual case, one channel after the other: each value is read once for three outputs.
 * Another frame is read in the place of one beyond the ends of the clip. */
static void multiply_nine(const sd_depthwise_parameters *depthwise, const sd_step *step)
{
    const void *const *frames = step->frames;
    const uint32_t n_channels = depthwise->n_channels;
    const uint32_t last = (depthwise->window.bands_in - 1u) * n_channels;
    const uint8_t *some = frames[0] != 0 ? frames[0] : frames[1] != 0 ? frames[1] : frames[2];
    const int is_whole = frames[0] != 0 && frames[1] != 0 && frames[2] != 0;
    const int8_t *weights = depthwise->weights;
    uint8_t *output = step->output;
    lines channel = {some, 0, 0};

    channel.second = frames[1] != 0 ? (int32_t)((const uint8_t *)frames[1] - some) : 0;
    channel.third = frames[2] != 0 ? (int32_t)((const uint8_t *)frames[2] - some) : 0;
    for (uint32_t c = 0; c < n_channels; c++, channel.at++, output++, weights += 9) {
        const int32_t bias = depthwise->bias[c];
        const uint32_t shift = depthwise->shift[c];
        const int8_t *nine = weights;
        int8_t masked[9];
        three w[3];
        if (!is_whole) {
            mask(weights, frames, masked);
            nine = masked;
        }
        w[0] = three_of(nine[0], nine[3], nine[6]);
        w[1] = three_of(nine[1], nine[4], nine[7]);
        w[2] = three_of(nine[2], nine[5], nine[8]);
        if (depthwise->window.stride == 1u) {
            multiply_channel(channel, channel.at + last, w, bias, shift, n_channels, 1, output);
        } else {
            multiply_channel(channel, channel.at + last, w, bias, shift, n_channels, 2, output);
        }
    }
}
#elif !SD_AVX2
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
    uint32_t done = 0;

#if SD_THUMB2
    if (window->kernel_frames == 3u && window->kernel_bands == 3u && window->padding == 1u &&
        window->stride <= 2u) {
        multiply_nine(depthwise, step);
        return;
    }
#elif SD_AVX2
    done = n_taps == 9u ? sd_avx2_depthwise(depthwise, step) : 0u;
    if (done == depthwise->n_channels) {
        return;
    }
#endif
    for (uint32_t band = 0; band < window->bands_out; band++, output += depthwise->n_channels) {
        sd_find_taps(depthwise, step, band, taps);
#if !SD_THUMB2 && !SD_AVX2
        done = n_taps == 9u ? multiply_nine(depthwise, taps, output) : 0u;
#endif
        multiply_any(depthwise, taps, n_taps, done, output);
    }
}
