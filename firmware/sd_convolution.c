/* Convolution over frames and bands, and a ReLU: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_relu.h"
#include "sd_rows.h"

/* Where the columns of a vector go: side by side, or in pairs with a gap of two for those of
 * another vector (sd_rows.h). */
typedef struct {
    int16_t *next;
    uint32_t step; /* from this column to the next: 1, and behind a pair 1 + gap */
    uint32_t gap;  /* 0 or 2 */
    int32_t sum;
} columns;

static inline void put(columns *to, int32_t value)
{
    to->sum += value;
    *to->next = (int16_t)value;
    to->next += to->step;
    to->step ^= to->gap;
}

static void put_zeros(columns *to, uint32_t n)
{
    while (n-- > 0u) {
        put(to, 0);
    }
}

/* n values, widened. */
static void put_values(columns *to, const void *frame, uint32_t offset, uint32_t n, uint32_t wide)
{
    const int16_t *wide_values = (const int16_t *)frame + offset;
    const uint8_t *values = (const uint8_t *)frame + offset;

    if (wide != 0u) {
        for (const int16_t *end = wide_values + n; wide_values != end; wide_values++) {
            put(to, *wide_values);
        }
        return;
    }
    if (to->step == 1u) {
        const uint32_t pair = 2u + to->gap;
        int16_t *next = to->next;
        int32_t sum = to->sum;
#if SD_DSP
        for (; n >= 4u; n -= 4u, values += 4, next += 2u * pair) {
            const uint32_t four = sd_dsp_load(values);
            const uint32_t even = sd_dsp_even(four), odd = sd_dsp_odd(four);
            sd_dsp_store(next, sd_dsp_low_halves(even, odd));
            sd_dsp_store(next + pair, sd_dsp_high_halves(even, odd));
            sum = sd_dsp_multiply(even + odd, SD_DSP_ONES, sum);
        }
#endif
        for (; n >= 2u; n -= 2u, values += 2, next += pair) {
            sum += (int32_t)values[0] + values[1];
            next[0] = values[0];
            next[1] = values[1];
        }
        to->next = next;
        to->sum = sum;
    }
    while (n-- > 0u) {
        put(to, *values++);
    }
}

/* What the window sees at an output band; returns the excess (sd_rows.h). */
static int32_t gather(const sd_convolution_parameters *convolution, const sd_step *step,
                      uint32_t band, int16_t *operand, uint32_t gap)
{
    const sd_window *window = &convolution->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;
    const int32_t beyond = first + window->kernel_bands - window->bands_in;
    const uint32_t before = first < 0 ? (uint32_t)-first : 0u;
    const uint32_t after = beyond > 0 ? (uint32_t)beyond : 0u;
    const uint32_t n_in = convolution->n_in;
    const uint32_t offset = (uint32_t)(first + (int32_t)before) * n_in;
    const uint32_t n = (window->kernel_bands - before - after) * n_in;
    columns to = {operand, 1, gap, 0};

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        if (step->frames[k] == 0) {
            put_zeros(&to, window->kernel_bands * n_in);
            continue;
        }
        put_zeros(&to, before * n_in);
        put_values(&to, step->frames[k], offset, n, convolution->wide);
        put_zeros(&to, after * n_in);
    }
    return SD_WEIGHT_OFFSET * to.sum;
}

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
            gather(convolution, step, band, operand, 2),
            gather(convolution, step, band + 1u, operand + 2, 2),
        };
        multiply_two(convolution, operand, n_columns, excess, output);
    }
#endif
    for (; band < window->bands_out; band++, output += convolution->n_out) {
        const int32_t excess = gather(convolution, step, band, operand, 0);
        multiply(convolution, operand, n_columns, excess, output);
    }
}
