/* Operators of a graph (sd_graph.h), one file each.
 *
 * Twins of spoken_digits/integer/operators/. A frame is stored band by band, channel fastest. What
 * lies between two operators is uint8; centring, pooling, shift, lstm and mean give int16, linear
 * int32.
 *
 * Rows of weights are stored in blocks of four, as sd_rows.h says; where the operator's name ends
 * in _pow2, as sd_rows_pow2.h says. Those of sd_linear and sd_convolution end in a block filled up.
 *
 * Biases include half a step, so that a right shift rounds halves up as sd_round_shift does. */
#ifndef SD_OPERATORS_H
#define SD_OPERATORS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SD_MAX_WINDOW = 15, /* frames */
    SD_MAX_TAPS = 25    /* of a depthwise convolution */
};

/* One step of a node. */
typedef struct {
    const void *const *frames; /* to read; 0 stands for zeros */
    void *output;              /* frame to write */
    void *state;               /* the operator's own until the clip ends */
    void *scratch;             /* the operator's own until it returns */
    uint16_t step;             /* from 0; state and scratch are aligned to 4 bytes */
} sd_step;

typedef void (*sd_operator)(const void *parameters, const sd_step *step);

/* int16 (x << 3) - mean of each band of the int8 features. */
typedef struct {
    const int16_t *mean;
    uint16_t n_bands;
} sd_centring_parameters;

/* How a window lies on the bands. */
typedef struct {
    uint16_t bands_in;
    uint16_t bands_out;
    uint8_t kernel_frames;
    uint8_t kernel_bands;
    uint8_t stride;  /* in bands */
    uint8_t padding; /* in bands */
} sd_window;

/* min(max((bias + W v) >> shift, 0), 255) for the vector v of all values in the window.
 * Scratch: v as int16. The output may lie on the input where the window is 1 x 1 and
 * n_out <= n_in. */
typedef struct {
    const uint8_t *weights; /* a row for each output channel */
    const int32_t *bias;    /* as many as rows in all blocks */
    sd_window window;
    uint16_t n_in; /* channels */
    uint16_t n_out;
    uint8_t shift;
    uint8_t wide; /* whether the input is int16 */
} sd_convolution_parameters;

/* The same of each channel by itself. */
typedef struct {
    const int8_t *weights; /* the taps (frame, band) of channel 0, of channel 1, ...; of
                              sd_depthwise_pow2 a byte for two, low half the first */
    const int32_t *bias;
    const uint8_t *shift;
    const uint8_t *zeros; /* n_channels: what lies around the bands */
    sd_window window;     /* of at most SD_MAX_TAPS taps */
    uint16_t n_channels;
} sd_depthwise_parameters;

/* min((a factor[0] + b factor[1]) >> 14, 255), rounded. The output may lie on an input. */
typedef struct {
    uint32_t size; /* values of a frame */
    uint16_t factor[2];
} sd_sum_parameters;

/* Of each channel over the clip: all maxima << 6, then all means with 6 fraction bits; written
 * when the clip has ended, by a step whose frame is 0. State: n_channels uint32 and uint8. */
typedef struct {
    uint16_t n_bands;
    uint16_t n_channels;
    uint16_t n_values; /* of a channel in a clip */
} sd_pooling_parameters;

/* int16 x << shift of each band of the int8 features. */
typedef struct {
    const uint8_t *shift; /* 0..8 */
    uint16_t n_bands;
} sd_shift_parameters;

/* A layer of LSTM units. The output lies right behind the input: together they are the vector that
 * the layer reads, its input and its hidden state before this step, int16 with 12 fraction bits.
 * State: n_units int16, the cells; scratch: as many. Output and state are 0 before step 0. */
typedef struct {
    const uint8_t *weights; /* gates i, f, g, o of unit 0, then of unit 1, ... */
    const int32_t *bias;    /* 4 n_units, in that order */
    const uint8_t *shift;   /* 4 n_units, 0..24: accumulator to pre-activation */
    uint16_t n_inputs;
    uint16_t n_units;
    uint8_t cell_bits; /* fraction bits of the cells, 8..12 */
} sd_lstm_parameters;

/* Mean of each channel of int16 between -4096 and 4096 over the clip, rounded; written when the
 * clip has ended, by a step whose frame is 0. State: n_channels int32, 0 before step 0. */
typedef struct {
    uint16_t n_channels;
} sd_mean_parameters;

/* int32 bias + W v of an int16 vector v. */
typedef struct {
    const uint8_t *weights;
    const int32_t *bias;    /* as many as rows in all blocks; without half a step */
    uint16_t n_inputs;
    uint16_t n_outputs;
} sd_linear_parameters;

void sd_centring(const void *parameters, const sd_step *step);
void sd_convolution(const void *parameters, const sd_step *step);
void sd_convolution_pow2(const void *parameters, const sd_step *step);
void sd_depthwise(const void *parameters, const sd_step *step);
void sd_depthwise_pow2(const void *parameters, const sd_step *step);
void sd_sum(const void *parameters, const sd_step *step);
void sd_pooling(const void *parameters, const sd_step *step);
void sd_shift(const void *parameters, const sd_step *step);
void sd_lstm(const void *parameters, const sd_step *step);
void sd_lstm_pow2(const void *parameters, const sd_step *step);
void sd_mean(const void *parameters, const sd_step *step);
void sd_linear(const void *parameters, const sd_step *step);
void sd_linear_pow2(const void *parameters, const sd_step *step);

#ifdef __cplusplus
}
#endif

#endif
