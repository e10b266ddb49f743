/* Powers of 2, Q8, by a table. Twin: exp2 in
 * spoken_digits/integer/frontend/log_mel.py. */
#ifndef SD_OCTAVES_H
#define SD_OCTAVES_H

#include <stdint.h>

#include "sd_fixed.h"
#include "sd_word_constants.h"

/* 2^(log / 256) without its whole octaves, Q15: from 2^15 to below 2^16. */
static inline uint32_t sd_exp2_mantissa(uint32_t log)
{
    /* 32 intervals an octave: the bits from 3 to 7, which a Cortex-M0 cuts out by shifts */
    const uint16_t *table = sd_exp2_fraction + (log << 24 >> 27);
    const int32_t step = (int32_t)(log & 7u);
    const int32_t rise = sd_round_shift(((int32_t)table[1] - table[0]) * step, 3);
    return 0x8000u + table[0] + (uint32_t)rise;
}

/* 2^(log / 256), rounded, of 0 <= log < 16 * 256. */
static inline uint32_t sd_exp2_q8(uint32_t log)
{
    return (uint32_t)sd_round_shift((int32_t)sd_exp2_mantissa(log), 15u - (log >> 8));
}

#endif
