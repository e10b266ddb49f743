/* sd_rows_multiply on x86 with AVX2, for computing on a desktop.
 *
 * Even bytes of a word are the pair of one row, odd bytes that of the next (sd_rows.h): a mask and
 * a shift take sixteen pairs apart at once. */
#ifndef SD_ROWS_AVX2_H
#define SD_ROWS_AVX2_H

#include <immintrin.h>
#include <stdint.h>

/* sum + a0 b0 + a1 b1, for eight pairs of int16: one instruction where the processor has it. */
static inline __m256i sd_avx2_multiply_add(__m256i sum, __m256i a, __m256i b)
{
#if defined(__AVX512VNNI__) && defined(__AVX512VL__)
    return _mm256_dpwssd_epi32(sum, a, b);
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
#endif
}

/* Pairs of columns: the sums of rows a, c and of rows b, d, over and over. */
static inline void sd_avx2_add_pairs(__m256i weights, __m256i pairs, __m256i *ac, __m256i *bd)
{
    const __m256i even = _mm256_and_si256(weights, _mm256_set1_epi16(255));
    const __m256i odd = _mm256_srli_epi16(weights, 8);
    *ac = sd_avx2_multiply_add(*ac, even, pairs);
    *bd = sd_avx2_multiply_add(*bd, odd, pairs);
}

static inline __m128i sd_avx2_fold(__m256i x)
{
    return _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

static inline int32_t sd_avx2_total(__m256i eight)
{
    const __m128i four = sd_avx2_fold(eight);
    const __m128i two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 1);
}

/* The sum of n int16. */
static inline int32_t sd_avx2_sum(const int16_t *operand, uint32_t n)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256();
    int32_t last = 0;

    for (; n >= 16u; n -= 16u, operand += 16) {
        sums = sd_avx2_multiply_add(
            sums, _mm256_loadu_si256((const __m256i *)(const void *)operand), ones);
    }
    if (n >= 8u) {
        const __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)operand);
        sums = sd_avx2_multiply_add(sums, _mm256_zextsi128_si256(eight), ones);
        n -= 8u;
        operand += 8;
    }
    if (n >= 4u) {
        const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)operand);
        sums = sd_avx2_multiply_add(sums, _mm256_zextsi128_si256(four), ones);
        n -= 4u;
        operand += 4;
    }
    while (n-- > 0u) {
        last += *operand++;
    }
    return sd_avx2_total(sums) + last;
}

enum { SD_AVX2_BLOCKS = 4 }; /* as many as there are registers for */

/* n_blocks blocks of rows, at most SD_AVX2_BLOCKS, times one vector: the sums of a, b, c, d of
 * each. n_blocks is a constant: the compiler unrolls. */
static inline void sd_avx2_rows(const uint8_t *weights, const int16_t *operand, uint32_t n,
                                uint32_t n_blocks, __m128i *sum)
{
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    const uint32_t block_bytes = 4u * n;
    __m256i ac[SD_AVX2_BLOCKS];
    __m256i bd[SD_AVX2_BLOCKS];

    for (uint32_t i = 0; i < n_blocks; i++) {
        ac[i] = _mm256_setzero_si256();
        bd[i] = _mm256_setzero_si256();
    }
    for (; n >= 8u; n -= 8u, operand += 8, weights += 32) {
        const __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)operand);
        const __m256i v = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(eight), twice);
        for (uint32_t i = 0; i < n_blocks; i++) {
            const void *from = weights + i * block_bytes;
            sd_avx2_add_pairs(_mm256_loadu_si256((const __m256i *)from), v, &ac[i], &bd[i]);
        }
    }
    if ((n & 4u) != 0u) {
        const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)operand);
        const __m256i v = _mm256_castsi128_si256(_mm_unpacklo_epi32(four, four));
        for (uint32_t i = 0; i < n_blocks; i++) {
            const void *from = weights + i * block_bytes;
            const __m128i w = _mm_loadu_si128((const __m128i *)from);
            sd_avx2_add_pairs(_mm256_zextsi128_si256(w), v, &ac[i], &bd[i]);
        }
        operand += 4;
        weights += 16;
    }
    if ((n & 2u) != 0u) {
        int32_t pair;
        __builtin_memcpy(&pair, operand, sizeof pair);
        for (uint32_t i = 0; i < n_blocks; i++) {
            const void *from = weights + i * block_bytes;
            const __m128i w = _mm_loadl_epi64((const __m128i *)from);
            sd_avx2_add_pairs(_mm256_zextsi128_si256(w), _mm256_set1_epi32(pair), &ac[i], &bd[i]);
        }
        operand += 2;
        weights += 8;
    }
    for (uint32_t i = 0; i < n_blocks; i++) {
        sum[i] = sd_avx2_fold(_mm256_add_epi32(_mm256_unpacklo_epi32(ac[i], bd[i]),
                                               _mm256_unpackhi_epi32(ac[i], bd[i])));
        if ((n & 1u) != 0u) {
            int32_t four;
            __builtin_memcpy(&four, weights + i * block_bytes, sizeof four);
            sum[i] =
                _mm_add_epi32(sum[i], _mm_madd_epi16(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(four)),
                                                     _mm_set1_epi32((uint16_t)operand[0])));
        }
    }
}

static inline const uint8_t *sd_rows_multiply(const uint8_t *weights, const int32_t *bias,
                                              const int16_t *operand, uint32_t n, int32_t excess,
                                              int32_t accumulator[4])
{
    const __m128i start =
        _mm_sub_epi32(_mm_loadu_si128((const __m128i *)(const void *)bias), _mm_set1_epi32(excess));
    __m128i sum;
    sd_avx2_rows(weights, operand, n, 1, &sum);
    _mm_storeu_si128((__m128i *)(void *)accumulator, _mm_add_epi32(start, sum));
    return weights + 4u * n;
}

#endif
