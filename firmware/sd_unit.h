/* One step of an LSTM unit from its four accumulators, whatever the code of the weights. */
#ifndef SD_UNIT_H
#define SD_UNIT_H

#include "sd_activation.h"
#include "sd_fixed.h"

/* Accumulator to pre-activation; rounded, since the accumulator holds half a step. */
static inline int32_t sd_pre_activation(int32_t accumulator, uint8_t shift)
{
    return sd_saturate16(accumulator >> shift);
}

/* accumulator and shift in the order i, f, g, o; updates *cell, returns the hidden state. */
static inline int16_t sd_unit_step(const int32_t accumulator[4], const uint8_t shift[4],
                                   uint8_t cell_bits, int16_t *cell)
{
    const int32_t i = sd_sigmoid(sd_pre_activation(accumulator[0], shift[0]));
    const int32_t f = sd_sigmoid(sd_pre_activation(accumulator[1], shift[1]));
    const int32_t g = sd_tanh(sd_pre_activation(accumulator[2], shift[2]), SD_ACTIVATION_BITS);
    const int32_t o = sd_sigmoid(sd_pre_activation(accumulator[3], shift[3]));
    const int32_t kept = sd_round_shift(f * *cell, SD_GATE_BITS);
    const int32_t added = sd_round_shift(i * g, 2u * SD_GATE_BITS - cell_bits);
    const int32_t next = sd_saturate16(kept + added);

    *cell = (int16_t)next;
    return (int16_t)sd_round_shift(o * sd_tanh(next, cell_bits),
                                   2 * SD_GATE_BITS - SD_ACTIVATION_BITS);
}

#endif
