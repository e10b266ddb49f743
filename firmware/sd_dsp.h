/* Pairs of int16 in a word, for processors with Arm's DSP instructions: Cortex-M4, M7, M33.
 *
 * SD_DSP says whether they are used: by gcc and clang where the target has them, unless SD_PORTABLE
 * is defined. Sums wrap as two's complement does; those of this library are proven to fit int32 in
 * any order.
 *
 * Volatile assembly, not the intrinsics of arm_acle.h, keeps instructions in the order in which
 * they are written: otherwise gcc loads so far ahead that it runs out of registers. */
#ifndef SD_DSP_H
#define SD_DSP_H

#include <stdint.h>

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__) &&            \
    !defined(__ARM_BIG_ENDIAN) && !defined(SD_PORTABLE)
#define SD_DSP 1

#define SD_DSP_ONES 0x00010001u /* to add a pair up: sd_dsp_multiply(pair, SD_DSP_ONES, sum) */

/* Four bytes, or two int16 (the first is the low half), at any address. */
static inline uint32_t sd_dsp_load(const void *from)
{
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof word);
    return word;
}

static inline void sd_dsp_store(void *to, uint32_t word)
{
    __builtin_memcpy(to, &word, sizeof word);
}

/* Of the bytes b0 b1 b2 b3, from the lowest: the pair (b0, b2). */
static inline uint32_t sd_dsp_even(uint32_t bytes)
{
    return bytes & 0x00FF00FFu;
}

/* The pair (b1, b3). */
static inline uint32_t sd_dsp_odd(uint32_t bytes)
{
    uint32_t pair; /* (bytes >> 8) & 0x00FF00FF, of which compilers make two instructions */
    __asm__ volatile("uxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* The same of int8. */
static inline uint32_t sd_dsp_signed_even(uint32_t bytes)
{
    uint32_t pair;
    __asm__ volatile("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
}

static inline uint32_t sd_dsp_signed_odd(uint32_t bytes)
{
    uint32_t pair;
    __asm__ volatile("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

/* The low halves of both, and the high halves: (a0, b0) and (a1, b1). */
static inline uint32_t sd_dsp_low_halves(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__ volatile("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
    return pair;
}

static inline uint32_t sd_dsp_high_halves(uint32_t a, uint32_t b)
{
    uint32_t pair;
    __asm__ volatile("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(b), "r"(a));
    return pair;
}

/* sum + a0 b0 + a1 b1 */
static inline int32_t sd_dsp_multiply(uint32_t a, uint32_t b, int32_t sum)
{
    int32_t result;
    __asm__ volatile("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}
/* The same in the place of the sum. */
static inline void sd_dsp_add(uint32_t a, uint32_t b, int32_t *sum)
{
    __asm__ volatile("smlad %0, %1, %2, %0" : "+r"(*sum) : "r"(a), "r"(b));
}
#else
#define SD_DSP 0
#endif

#endif
