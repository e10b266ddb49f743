/* An LSTM recogniser in integers: a frame of int8 features in, int32 logits out.
 *
 *     static sd_digits_memory memory;              (generated: all the RAM the network needs)
 *     sd_network_state state = SD_STATE(memory);
 *     int32_t logits[SD_DIGITS_N_CLASSES];
 *
 *     sd_network_reset(&sd_digits, &state);
 *     while (next_frame(frame)) {
 *         sd_network_push(&sd_digits, &state, frame);
 *     }
 *     sd_network_finish(&sd_digits, &state, logits);
 *     word = sd_argmax(logits, SD_DIGITS_N_CLASSES);
 *
 * No allocation, no floating point, no recursion. The caller owns all memory; a network is
 * constant and may be shared by any number of states. Twin of spoken_digits/integer/network.py,
 * which defines the arithmetic; equal bit for bit. */
#ifndef SD_NETWORK_H
#define SD_NETWORK_H

#include <stdint.h>

#include "sd_argmax.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One LSTM layer on the operand vector (input, hidden), int16 with 12 fraction bits. */
typedef struct {
    const uint8_t *weights; /* in the order and code of the kernels: sd_kernels.h */
    const int32_t *bias;    /* 4 n_units: i, f, g, o of unit 0, then of unit 1, ... */
    const uint8_t *shift;   /* 4 n_units, 0..24: accumulator to pre-activation */
    uint16_t n_inputs;
    uint16_t n_units;
    uint8_t cell_bits; /* fraction bits of the cell state, 8..12 */
} sd_lstm_layer;

struct sd_kernels; /* how weights are stored and multiplied: sd_int8 or sd_pow2 */

typedef struct {
    const struct sd_kernels *kernels;
    const sd_lstm_layer *layers;   /* n_layers, from the features upward */
    const uint8_t *output_weights; /* n_classes rows of n_units of the last layer */
    const int32_t *output_bias;    /* n_classes */
    const uint8_t *input_shift;    /* n_inputs, 0..8: int8 feature to 12 fraction bits */
    uint16_t n_inputs;
    uint16_t n_classes;
    uint8_t n_layers;
} sd_network;

/* Points into memory of the caller; the generated header of a network declares it. */
typedef struct {
    int32_t *sum;      /* hidden units of the last layer */
    int16_t *cell;     /* hidden units of all layers */
    int16_t *operand;  /* n_inputs, then hidden units of all layers */
    int16_t *fresh;    /* hidden units of the widest layer */
    uint16_t n_frames; /* since reset */
} sd_network_state;

#define SD_STATE(memory)                                                                           \
    {                                                                                              \
        (memory).sum, (memory).cell, (memory).operand, (memory).fresh, 0                           \
    }

/* Start a new clip. Call before the first frame. */
void sd_network_reset(const sd_network *net, sd_network_state *state);

/* Process one frame of n_inputs features. Ignores all frames from the 65,536th after a reset on:
 * the sums would no longer fit. */
void sd_network_push(const sd_network *net, sd_network_state *state, const int8_t *frame);

/* Write the n_classes logits of the frames so far. Leaves the state unchanged: more frames may
 * follow. */
void sd_network_finish(const sd_network *net, sd_network_state *state, int32_t *logits);

#ifdef __cplusplus
}
#endif

#endif
