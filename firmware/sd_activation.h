/* Sigmoid and tanh on integers: one table, straight lines between its entries.
 *
 * u(t) = tanh(t / 2) / 2 is tabulated on [0, 8] in steps of 1/16; sigmoid(t) = 1/2 + u(t) and
 * tanh(t) = 2 u(2 t). Arguments have 12 fraction bits, results 15. For negative arguments,
 * one's complement is applied to argument and result.
 * Python twin: spoken_digits/integer/activation.py. */
#ifndef SD_ACTIVATION_H
#define SD_ACTIVATION_H

#include <stdint.h>

#include "sd_dsp.h"
#include "sd_fixed.h"

enum {
    SD_ACTIVATION_BITS = 12, /* fraction bits of features, hidden states, pre-activations */
    SD_GATE_BITS = 15,       /* fraction bits of sigmoid and tanh */
    SD_STEP_BITS = 8,        /* one table step is 2^8 argument steps */
    SD_HALF_TANH_ENTRIES = 129
};

#ifdef __cplusplus
extern "C" {
#endif

extern const int16_t sd_half_tanh_table[SD_HALF_TANH_ENTRIES];

#ifdef __cplusplus
}
#endif

/* u(t) for t in 0 .. 2^15 - 1. */
static inline int32_t sd_half_tanh(int32_t t)
{
    const int16_t *entry = &sd_half_tanh_table[t >> SD_STEP_BITS];
    const int32_t fraction = t & ((1 << SD_STEP_BITS) - 1);
    const int32_t half = 1 << (SD_STEP_BITS - 1);
#if SD_DSP
    /* both ends at once: entry[0] (256 - fraction) + entry[1] fraction */
    const uint32_t parts = (uint32_t)(fraction << 16 | ((1 << SD_STEP_BITS) - fraction));
    return sd_dsp_multiply(sd_dsp_load(entry), parts, half) >> SD_STEP_BITS;
#else
    return entry[0] + (((entry[1] - entry[0]) * fraction + half) >> SD_STEP_BITS);
#endif
}

/* z in -2^15 .. 2^15 - 1 with 12 fraction bits; result in 10 .. 32757 with 15. */
static inline int32_t sd_sigmoid(int32_t z)
{
    const int32_t sign = z >> 31;
    return (1 << (SD_GATE_BITS - 1)) + (sd_half_tanh(z ^ sign) ^ sign);
}

/* z in -2^15 .. 2^15 - 1 with fraction_bits <= 12; result in -32747 .. 32746 with 15. */
static inline int32_t sd_tanh(int32_t z, unsigned fraction_bits)
{
    const int32_t sign = z >> 31;
    const int32_t doubled = (z ^ sign) << (SD_ACTIVATION_BITS + 1 - fraction_bits);
    return (sd_half_tanh(sd_clamp15(doubled)) * 2) ^ sign;
}

#endif
