/* sd_rows_multiply on x86 with AVX2, for computing on a desktop.
 *
 * Even bytes of a word are the pair of one row, odd bytes that of the next (sd_rows.h): a mask and
 * a shift take sixteen pairs apart at once. */
#ifndef SD_ROWS_AVX2_H
#define SD_ROWS_AVX2_H

#include <immintrin.h>
#include <stdint.h>

/* A pair of columns: the sums of rows a, c, then of b, d, each in the low half. */
static inline void sd_avx2_add_pair(__m128i weights, __m128i pair, __m128i *ac, __m128i *bd)
{
    const __m128i even = _mm_and_si128(weights, _mm_set1_epi16(255));
    const __m128i odd = _mm_srli_epi16(weights, 8);
    *ac = _mm_add_epi32(*ac, _mm_madd_epi16(even, pair));
    *bd = _mm_add_epi32(*bd, _mm_madd_epi16(odd, pair));
}

static inline __m128i sd_avx2_fold(__m256i x)
{
    return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

/* Four rows times one vector: the sums of a, b, c, d. */
static inline __m128i sd_avx2_rows(const uint8_t *weights, const int16_t *operand, uint32_t n)
{
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    __m256i wide_ac = _mm256_setzero_si256();
    __m256i wide_bd = _mm256_setzero_si256();
    __m128i ac;
    __m128i bd;

    for (; n >= 8u; n -= 8u, operand += 8, weights += 32) {
        const __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)operand);
        const __m256i v = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(eight), twice);
        const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)weights);
        const __m256i even = _mm256_and_si256(w, _mm256_set1_epi16(255));
        const __m256i odd = _mm256_srli_epi16(w, 8);
        wide_ac = _mm256_add_epi32(wide_ac, _mm256_madd_epi16(even, v));
        wide_bd = _mm256_add_epi32(wide_bd, _mm256_madd_epi16(odd, v));
    }
    ac = sd_avx2_fold(wide_ac);
    bd = sd_avx2_fold(wide_bd);
    if ((n & 4u) != 0u) {
        const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)operand);
        sd_avx2_add_pair(_mm_loadu_si128((const __m128i *)(const void *)weights),
                         _mm_unpacklo_epi32(four, four), &ac, &bd);
        operand += 4;
        weights += 16;
    }
    if ((n & 2u) != 0u) {
        int32_t pair;
        __builtin_memcpy(&pair, operand, sizeof pair);
        sd_avx2_add_pair(_mm_loadl_epi64((const __m128i *)(const void *)weights),
                         _mm_set1_epi32(pair), &ac, &bd);
        operand += 2;
        weights += 8;
    }
    ac = _mm_add_epi32(_mm_unpacklo_epi32(ac, bd), _mm_unpackhi_epi32(ac, bd));
    if ((n & 1u) != 0u) {
        int32_t four;
        __builtin_memcpy(&four, weights, sizeof four);
        ac = _mm_add_epi32(ac, _mm_madd_epi16(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)),
                                              _mm_set1_epi32((uint16_t)operand[0])));
    }
    return ac;
}

static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int32_t *bias,
                                              const int16_t *operand, uint32_t n, int32_t excess,
                                              int32_t accumulator[4])
{
    const __m128i start = _mm_sub_epi32(_mm_loadu_si128((const __m128i *)(const void *)bias),
                                        _mm_set1_epi32(excess));
    const __m128i sum = _mm_add_epi32(start, sd_avx2_rows(weights, operand, n));
    _mm_storeu_si128((__m128i *)(void *)accumulator, sum);
    return weights + 4u * n;
}

#endif
