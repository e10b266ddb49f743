/* Eight LSTM units at once on x86 with AVX2, bit for bit equal to sd_unit.h.
 *
 * Only for computing on a desktop: compiled in when the compiler targets AVX2, left out when
 * SD_PORTABLE is defined. Included by sd_lstm.c and sd_lstm_pow2.c.
 *
 * The rows of either code give the sums of a unit's four gates; sd_avx2_steps makes the next states
 * of them. First all sums, then all states: a state waits for the table of activations, and the
 * processor begins the next one meanwhile, unless the work of a whole row stands in between. */
#ifndef SD_AVX2_H
#define SD_AVX2_H

#include <immintrin.h>

#include "sd_activation.h"
#include "sd_rows_avx2.h"

enum {
    SD_AVX2_UNITS = 8,
    SD_AVX2_MOST_UNITS = 32 /* whose sums lie on the stack */
};

/* How many of the units left come next: a multiple of eight; 0 leaves the rest to sd_unit.h. */
static inline uint32_t sd_avx2_next_units(uint32_t left)
{
    return left < SD_AVX2_MOST_UNITS ? left / SD_AVX2_UNITS * SD_AVX2_UNITS : SD_AVX2_MOST_UNITS;
}

/* (v0 v1) four times, (v2 v3) four times. */
static inline __m256i sd_avx2_operands(const int16_t *operand)
{
    const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)operand);
    return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four),
                                       _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
}

/* A pair (v0 v1) four times; the second is 0 where n is 1. */
static inline __m128i sd_avx2_pair(const int16_t *operand, uint32_t n)
{
    const uint32_t second = n > 1u ? (uint16_t)operand[1] : 0u;
    return _mm_set1_epi32((int32_t)((uint16_t)operand[0] | second << 16));
}

static inline __m128i sd_avx2_load32(const void *four_bytes)
{
    int32_t value;
    __builtin_memcpy(&value, four_bytes, sizeof value);
    return _mm_cvtsi32_si128(value);
}

/* a b with |a|, |b| < 2^15 and a >= 0, for eight int32. */
static inline __m256i sd_avx2_product(__m256i a, __m256i b)
{
    return _mm256_madd_epi16(a, b); /* the high half of a is zero */
}

static inline __m256i sd_avx2_round_shift(__m256i x, int shift)
{
    const __m256i half = _mm256_set1_epi32((1 << shift) >> 1);
    return _mm256_sra_epi32(_mm256_add_epi32(x, half), _mm_cvtsi32_si128(shift));
}

static inline __m256i sd_avx2_saturate16(__m256i x)
{
    return _mm256_max_epi32(_mm256_min_epi32(x, _mm256_set1_epi32(32767)),
                            _mm256_set1_epi32(-32768));
}

static inline __m256i sd_avx2_half_tanh(__m256i t)
{
    /* one 32-bit load fetches both ends of the straight line: low + (256 - f), high + f */
    const __m256i index = _mm256_srli_epi32(t, SD_STEP_BITS);
    const __m256i ends =
        _mm256_i32gather_epi32((const int *)(const void *)sd_half_tanh_table, index, 2);
    const __m256i fraction = _mm256_and_si256(t, _mm256_set1_epi32(255));
    const __m256i parts = _mm256_or_si256(_mm256_slli_epi32(fraction, 16),
                                          _mm256_sub_epi32(_mm256_set1_epi32(256), fraction));
    const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(ends, parts), _mm256_set1_epi32(128));
    return _mm256_srai_epi32(sum, SD_STEP_BITS);
}

static inline __m256i sd_avx2_sigmoid(__m256i z)
{
    const __m256i sign = _mm256_srai_epi32(z, 31);
    const __m256i u = sd_avx2_half_tanh(_mm256_xor_si256(z, sign));
    return _mm256_add_epi32(_mm256_set1_epi32(1 << 14), _mm256_xor_si256(u, sign));
}

static inline __m256i sd_avx2_tanh(__m256i z, int fraction_bits)
{
    const __m256i sign = _mm256_srai_epi32(z, 31);
    const __m256i doubled = _mm256_sll_epi32(
        _mm256_xor_si256(z, sign), _mm_cvtsi32_si128(SD_ACTIVATION_BITS + 1 - fraction_bits));
    const __m256i u = sd_avx2_half_tanh(_mm256_min_epi32(doubled, _mm256_set1_epi32(32767)));
    return _mm256_xor_si256(_mm256_slli_epi32(u, 1), sign);
}

/* Weights times operands of units 0..7 -> pre-activations of units j (low half) and j + 4. */
static inline __m256i sd_avx2_pre_activation(const __m128i *sum, uint32_t j, const int32_t *bias,
                                             const uint8_t *shift, __m256i too_much)
{
    const __m256i x = _mm256_set_m128i(sum[j + 4u], sum[j]);
    const __m256i b =
        _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(const void *)&bias[4u * j + 16u]),
                         _mm_loadu_si128((const __m128i *)(const void *)&bias[4u * j]));
    const __m128i s =
        _mm_unpacklo_epi32(sd_avx2_load32(&shift[4u * j]), sd_avx2_load32(&shift[4u * j + 16u]));
    const __m256i count = _mm256_cvtepu8_epi32(s);
    const __m256i accumulator = _mm256_add_epi32(_mm256_sub_epi32(b, too_much), x);
    return sd_avx2_saturate16(_mm256_srav_epi32(accumulator, count));
}

/* sd_unit_step for eight units; sum[u] holds i, f, g, o of unit u, without bias. */
static inline void sd_avx2_step(const __m128i sum[SD_AVX2_UNITS], const int32_t *bias,
                                const uint8_t *shift, int32_t too_much, int cell_bits,
                                int16_t *cell, int16_t *fresh)
{
    const __m256i excess = _mm256_set1_epi32(too_much);
    const __m256i z0 = sd_avx2_pre_activation(sum, 0, bias, shift, excess);
    const __m256i z1 = sd_avx2_pre_activation(sum, 1, bias, shift, excess);
    const __m256i z2 = sd_avx2_pre_activation(sum, 2, bias, shift, excess);
    const __m256i z3 = sd_avx2_pre_activation(sum, 3, bias, shift, excess);
    /* 4 x 4 transposes: rows of units to rows of gates */
    const __m256i if01 = _mm256_unpacklo_epi32(z0, z1);
    const __m256i go01 = _mm256_unpackhi_epi32(z0, z1);
    const __m256i if23 = _mm256_unpacklo_epi32(z2, z3);
    const __m256i go23 = _mm256_unpackhi_epi32(z2, z3);
    const __m256i i = sd_avx2_sigmoid(_mm256_unpacklo_epi64(if01, if23));
    const __m256i f = sd_avx2_sigmoid(_mm256_unpackhi_epi64(if01, if23));
    const __m256i g = sd_avx2_tanh(_mm256_unpacklo_epi64(go01, go23), SD_ACTIVATION_BITS);
    const __m256i o = sd_avx2_sigmoid(_mm256_unpackhi_epi64(go01, go23));

    const __m256i old = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)cell));
    const __m256i kept = sd_avx2_round_shift(sd_avx2_product(f, old), SD_GATE_BITS);
    const __m256i added = sd_avx2_round_shift(sd_avx2_product(i, g), 2 * SD_GATE_BITS - cell_bits);
    const __m256i next = sd_avx2_saturate16(_mm256_add_epi32(kept, added));
    const __m256i hidden = sd_avx2_round_shift(sd_avx2_product(o, sd_avx2_tanh(next, cell_bits)),
                                               2 * SD_GATE_BITS - SD_ACTIVATION_BITS);
    _mm_storeu_si128((__m128i *)(void *)cell, _mm_packs_epi32(_mm256_castsi256_si128(next),
                                                              _mm256_extracti128_si256(next, 1)));
    _mm_storeu_si128(
        (__m128i *)(void *)fresh,
        _mm_packs_epi32(_mm256_castsi256_si128(hidden), _mm256_extracti128_si256(hidden, 1)));
}

/* The same for n units, a multiple of eight. */
static inline void sd_avx2_steps(const __m128i *sum, uint32_t n, const int32_t *bias,
                                 const uint8_t *shift, int32_t too_much, int cell_bits,
                                 int16_t *cell, int16_t *fresh)
{
    for (uint32_t u = 0; u < n; u += SD_AVX2_UNITS) {
        sd_avx2_step(&sum[u], &bias[4u * u], &shift[4u * u], too_much, cell_bits, &cell[u],
                     &fresh[u]);
    }
}

#endif
