/* Fixed-point arithmetic: the one rounding rule, and saturation.
 *
 * Twin of spoken_digits/integer/fixed.py. Every rounding in this library is sd_round_shift.
 */
#ifndef SD_FIXED_H
#define SD_FIXED_H

#include <stdint.h>

/* For code that runs too rarely to be worth a copy in each place. */
#if defined(__GNUC__)
#define SD_NOINLINE __attribute__((noinline))
#else
#define SD_NOINLINE
#endif

/* For code that is fast only where its arguments are constants. */
#if defined(__GNUC__)
#define SD_ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define SD_ALWAYS_INLINE inline
#endif

/* For a function of a header that not every source calls, and that is not to be inlined. */
#if defined(__GNUC__)
#define SD_UNUSED __attribute__((unused))
#else
#define SD_UNUSED
#endif

/* Hides from the compiler where a value comes from, so that it is not computed anew from there. */
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1 && defined(__GNUC__)
#define SD_OPAQUE(value) __asm__("" : "+l"(value))
#elif defined(__GNUC__)
#define SD_OPAQUE(value) __asm__("" : "+r"(value))
#else
#define SD_OPAQUE(value) ((void)0)
#endif

/* The same, in one of the eight registers in which a Cortex-M0 can multiply: compilers left to
 * themselves move products to others and back. */
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 1 && defined(__GNUC__) &&             \
    !defined(SD_PORTABLE)
#define SD_OPAQUE_LOW(value) __asm__ volatile("" : "+l"(value))
#else
#define SD_OPAQUE_LOW(value) ((void)0)
#endif

/* What a Cortex-M3 and above have, and a Cortex-M0 has not. A Cortex-A or R has two states, and what
 * the one can do the other may not: __thumb__ says which one this is. */
#if defined(__thumb__) && __ARM_ARCH_ISA_THUMB >= 2 && !defined(__ARM_BIG_ENDIAN) &&               \
    defined(__GNUC__) && !defined(SD_PORTABLE)
#define SD_THUMB2 1
#else
#define SD_THUMB2 0
#endif

/* Vectors of 32 bytes, on a desktop. */
#if defined(__AVX2__) && defined(__GNUC__) && !defined(SD_PORTABLE)
#define SD_AVX2 1
#else
#define SD_AVX2 0
#endif

/* One instruction clamps on a Cortex-M3 and above, and one counts leading zeros. Of a Cortex-M23,
 * which has neither, some versions of clang say that it has both. */
#if defined(__thumb__) && __ARM_ARCH_ISA_THUMB < 2
#define SD_THUMB1 1
#else
#define SD_THUMB1 0
#endif
#if defined(__ARM_FEATURE_SAT) && !SD_THUMB1 && defined(__GNUC__) && !defined(SD_PORTABLE)
#define SD_SATURATES 1
#else
#define SD_SATURATES 0
#endif

#if defined(__ARM_FEATURE_CLZ) && !SD_THUMB1 && defined(__GNUC__) && !defined(SD_PORTABLE)
#define SD_COUNTS_ZEROS 1
#else
#define SD_COUNTS_ZEROS 0
#endif

/* Fails to compile when `condition` is false; `name` states the expectation. */
#define SD_STATIC_ASSERT(condition, name) typedef char sd_assert_##name[(condition) ? 1 : -1]

/* C99 leaves the right shift of negative numbers to the compiler: require an arithmetic one. */
SD_STATIC_ASSERT((-1 >> 1) == -1 && (-5 >> 1) == -3, right_shift_is_arithmetic);
SD_STATIC_ASSERT((int32_t)-1 == ~(int32_t)0, twos_complement);
#if SD_COUNTS_ZEROS
SD_STATIC_ASSERT(sizeof(unsigned) == sizeof(uint32_t), zeros_are_counted_in_32_bits);
#endif

/* x / 2^shift, halves rounded up (towards +infinity).
 * shift: 0 (identity) to 30. x + 2^(shift - 1) must fit an int32_t. */
static inline int32_t sd_round_shift(int32_t x, uint32_t shift)
{
    return (x + (((int32_t)1 << shift) >> 1)) >> shift;
}

/* Clamp to a signed integer of `bits` bits, 2 to 31. */
static inline int32_t sd_saturate(int32_t x, uint32_t bits)
{
    const int32_t limit = (int32_t)1 << (bits - 1u);
    if (x > limit - 1) {
        return limit - 1;
    }
    return x < -limit ? -limit : x;
}

static inline int32_t sd_saturate8(int32_t x)
{
#if SD_SATURATES
    __asm__("ssat %0, #8, %1" : "=r"(x) : "r"(x));
    return x;
#else
    return sd_saturate(x, 8);
#endif
}

static inline int32_t sd_saturate16(int32_t x)
{
#if SD_SATURATES
    __asm__("ssat %0, #16, %1" : "=r"(x) : "r"(x));
    return x;
#else
    return sd_saturate(x, 16);
#endif
}

/* min(x, 2^15 - 1) for x >= 0 */
static inline int32_t sd_clamp15(int32_t x)
{
#if SD_SATURATES
    __asm__("usat %0, #15, %1" : "=r"(x) : "r"(x));
    return x;
#else
    return x > 32767 ? 32767 : x;
#endif
}

/* Magnitude bits of a value: OR them over a block to find the block's level. */
static inline uint32_t sd_magnitude_bits(int32_t x)
{
    return (uint32_t)(x ^ (x >> 31));
}

/* Position of the highest set bit plus one; 0 for 0. */
static inline uint32_t sd_bit_length(uint32_t x)
{
#if SD_COUNTS_ZEROS
    return x == 0u ? 0u : 32u - (uint32_t)__builtin_clz(x);
#else
    uint32_t length = 0;
    if ((x >> 16) != 0u) {
        length += 16u;
        x >>= 16;
    }
    if ((x >> 8) != 0u) {
        length += 8u;
        x >>= 8;
    }
    if ((x >> 4) != 0u) {
        length += 4u;
        x >>= 4;
    }
    if ((x >> 2) != 0u) {
        length += 2u;
        x >>= 2;
    }
    if ((x >> 1) != 0u) {
        length += 1u;
        x >>= 1;
    }
    return length + x;
#endif
}

/* numerator / denominator, for quotients below 2^14. A Cortex-M0 has no divide instruction, and
 * the library's routine is larger. */
static inline uint32_t sd_divide(uint32_t numerator, uint32_t denominator)
{
    uint32_t quotient = 0;
    for (uint32_t bit = 14; bit-- > 0u;) {
        if ((numerator >> bit) >= denominator) {
            numerator -= denominator << bit;
            quotient |= (uint32_t)1 << bit;
        }
    }
    return quotient;
}

#endif
