/* Fixed-point arithmetic shared by every file: the one rounding rule, and saturation.
 * Python twin: spoken_digits/integer/fixed.py. */
#ifndef SD_FIXED_H
#define SD_FIXED_H

#include <stdint.h>

/* C99 leaves the right shift of a negative number to the compiler; all arithmetic here needs
 * the arithmetic shift. A compiler that does otherwise fails on this line. */
typedef char sd_assert_arithmetic_shift[((int32_t)-3 >> 1) == -2 ? 1 : -1];

/* floor(x / 2^shift + 1/2), shift 0..30; x + 2^(shift - 1) must fit int32. */
static inline int32_t sd_round_shift(int32_t x, unsigned shift)
{
    return (x + (((int32_t)1 << shift) >> 1)) >> shift;
}

/* Clamp to -2^15 .. 2^15 - 1. */
static inline int32_t sd_saturate16(int32_t x)
{
    if (x > 32767) {
        return 32767;
    }
    return x < -32768 ? -32768 : x;
}

#endif
