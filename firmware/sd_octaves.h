/* Powers of 2, Q8, by a table. Twin: exp2 in
 * spoken_digits/integer/frontend/log_mel.py. */
#ifndef SD_OCTAVES_H
#define SD_OCTAVES_H

#include <stdint.h>

#include "sd_fixed.h"
#include "sd_word_constants.h"

/* 2^(log / 256), rounded, of 0 < log < 51 * 256. The 64-bit shift is done in
 * halves: a Cortex-M would call a routine for it. */
static inline uint64_t sd_exp2_q8(uint32_t log)
{
    const uint32_t octave = log >> 8;
    const uint16_t *table = sd_exp2_fraction + ((log >> 3) & 31u); /* 32 intervals an octave */
    const int32_t step = (int32_t)(log & 7u);
    const int32_t rise = sd_round_shift(((int32_t)table[1] - table[0]) * step, 3);
    const uint32_t mantissa = 0x8000u + table[0] + (uint32_t)rise; /* Q15 */
    uint32_t left;
    if (octave < 15u) {
        return (uint32_t)sd_round_shift((int32_t)mantissa, 15u - octave);
    }
    left = octave - 15u;
    if (left < 16u) {
        return mantissa << left; /* mantissa < 2^16 */
    }
    if (left >= 32u) {
        return (uint64_t)(mantissa << (left - 32u)) << 32;
    }
    return ((uint64_t)(mantissa >> (32u - left)) << 32) | (uint32_t)(mantissa << left);
}

#endif
