/* The two ways to store and multiply a network's weights.
 *
 * sd_int8 (sd_int8.c): a byte a weight, int8 plus 128. A layer's matrix is stored unit by unit;
 * within a unit, columns in pairs, for each pair i0 f0 i1 f1 g0 o0 g1 o1, and an odd last column
 * as i f g o: four rows share each operand that is loaded.
 *
 * sd_pow2 (sd_pow2.c): half a byte a weight, 0 or +-1, 2, 4, ..., 64. Code 0 is zero, code m in
 * 1..7 is 2^(m-1), code 8 + m is -2^(m-1). Unit by unit; within a unit a byte for each pair of
 * columns and gate in the order i f g o, low half the even column; an odd last column is paired
 * with zeros.
 *
 * The output matrix is stored row by row, with bytes (sd_int8) or pairs of columns (sd_pow2).
 * A network points to its kernels, so the linker drops unused ones. */
#ifndef SD_KERNELS_H
#define SD_KERNELS_H

#include "sd_network.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sd_kernels {
    /* One step of a layer: reads operand (n_inputs + n_units), updates cell (n_units), writes the
     * next hidden state to fresh (n_units), which must not overlap operand. */
    void (*lstm)(const sd_lstm_layer *layer, const int16_t *operand, int16_t *cell, int16_t *fresh);
    /* logits[c] = bias[c] + sum_j weights[c][j] * operand[j] */
    void (*dense)(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint16_t n_inputs, uint16_t n_outputs, int32_t *logits);
} sd_kernels;

extern const sd_kernels sd_int8;
extern const sd_kernels sd_pow2;

#ifdef __cplusplus
}
#endif

#endif
