/* Convolution and depthwise convolution on x86 with AVX2, for computing on a desktop: for
 * sd_gather.h and sd_depthwise.c. The sums are those of the portable code, in another order. */
#ifndef SD_WINDOWS_AVX2_H
#define SD_WINDOWS_AVX2_H

#include <immintrin.h>

#include "sd_operators.h"
#include "sd_rows_avx2.h"
#include "sd_taps.h"

enum {
    SD_AVX2_CHANNELS = 16,
    SD_AVX2_PAIRS = 5 /* of nine taps, the last with a zero */
};

static inline __m128i sd_avx2_load(const void *sixteen_bytes)
{
    return _mm_loadu_si128((const __m128i *)sixteen_bytes);
}

/* n_blocks blocks of rows times one vector, and a ReLU; n_blocks is a constant. Writes the first n
 * of the 4 n_blocks results. */
static inline void sd_avx2_window_rows(const uint8_t *weights, const int32_t *bias,
                                       const int16_t *operand, uint32_t n_columns, int32_t excess,
                                       uint32_t shift, uint32_t n_blocks, uint32_t n,
                                       uint8_t *output)
{
    __m128i sum[SD_AVX2_BLOCKS] = {_mm_setzero_si128(), _mm_setzero_si128(),
                                          _mm_setzero_si128(), _mm_setzero_si128()};
    uint8_t made[4 * SD_AVX2_BLOCKS];

    sd_avx2_rows(weights, operand, n_columns, n_blocks, sum);
    for (uint32_t i = 0; i < n_blocks; i++) {
        const __m128i start = _mm_sub_epi32(sd_avx2_load(bias + 4u * i), _mm_set1_epi32(excess));
        sum[i] = _mm_sra_epi32(_mm_add_epi32(start, sum[i]), _mm_cvtsi32_si128((int32_t)shift));
    }
    _mm_storeu_si128(
        (__m128i *)(void *)made,
        _mm_packus_epi16(_mm_packs_epi32(sum[0], sum[1]), _mm_packs_epi32(sum[2], sum[3])));
    if (n == 4u * SD_AVX2_BLOCKS) {
        __builtin_memcpy(output, made, sizeof made);
    } else {
        __builtin_memcpy(output, made, n);
    }
}

/* All channels of an output band. */
static inline void sd_avx2_convolution(const sd_convolution_parameters *convolution,
                                       const int16_t *operand, uint32_t n_columns, int32_t excess,
                                       uint8_t *output)
{
    enum { ROWS = 4 * SD_AVX2_BLOCKS };
    const uint8_t *weights = convolution->weights;
    const int32_t *bias = convolution->bias;
    const uint32_t shift = convolution->shift;
    uint32_t left = convolution->n_out;

    for (; left >= ROWS; left -= ROWS, bias += ROWS, output += ROWS) {
        sd_avx2_window_rows(weights, bias, operand, n_columns, excess, shift,
                            SD_AVX2_BLOCKS, ROWS, output);
        weights += ROWS * n_columns;
    }
    while (left > 0u) {
        const uint32_t n = left < 4u ? left : 4u;
        sd_avx2_window_rows(weights, bias, operand, n_columns, excess, shift, 1, n, output);
        weights += 4u * n_columns;
        bias += 4;
        output += n;
        left -= n;
    }
}

/* n values, widened; returns their sum. */
static inline int32_t sd_avx2_widen(const uint8_t *values, uint32_t n, int16_t *operand)
{
    __m256i sums = _mm256_setzero_si256();
    int32_t sum;

    for (; n >= 16u; n -= 16u, values += 16, operand += 16) {
        const __m256i wide = _mm256_cvtepu8_epi16(sd_avx2_load(values));
        _mm256_storeu_si256((__m256i *)(void *)operand, wide);
        sums = sd_avx2_multiply_add(sums, wide, _mm256_set1_epi16(1));
    }
    sum = sd_avx2_total(sums);
    for (; n > 0u; n--) {
        sum += *values;
        *operand++ = *values++;
    }
    return sum;
}

/* What sixteen channels of a depthwise convolution multiply with. In 32 bits, `low` holds channels
 * 0 to 3 and 8 to 11, `high` the others, as instructions unpack them. */
typedef struct {
    __m256i low[SD_AVX2_PAIRS], high[SD_AVX2_PAIRS]; /* weights of two taps a channel */
    __m256i bias_low, bias_high;
    __m256i shift_low, shift_high;
} sd_avx2_sixteen;

static inline __m256i sd_avx2_both(const void *low, const void *high)
{
    return _mm256_set_m128i(sd_avx2_load(high), sd_avx2_load(low));
}

static inline sd_avx2_sixteen sd_avx2_sixteen_of(const sd_depthwise_parameters *depthwise,
                                                 uint32_t channel)
{
    const int32_t *bias = depthwise->bias + channel;
    const __m128i shifts = sd_avx2_load(depthwise->shift + channel);
    int16_t columns[2 * SD_AVX2_PAIRS][SD_AVX2_CHANNELS] = {{0}};
    sd_avx2_sixteen found;

    for (uint32_t c = 0; c < SD_AVX2_CHANNELS; c++) {
        for (uint32_t tap = 0; tap < 9u; tap++) {
            columns[tap][c] = depthwise->weights[9u * (channel + c) + tap];
        }
    }
    for (uint32_t pair = 0; pair < SD_AVX2_PAIRS; pair++) {
        const __m256i first = sd_avx2_both(columns[2u * pair], columns[2u * pair] + 8);
        const __m256i second = sd_avx2_both(columns[2u * pair + 1u], columns[2u * pair + 1u] + 8);
        found.low[pair] = _mm256_unpacklo_epi16(first, second);
        found.high[pair] = _mm256_unpackhi_epi16(first, second);
    }
    found.bias_low = sd_avx2_both(bias, bias + 8);
    found.bias_high = sd_avx2_both(bias + 4, bias + 12);
    found.shift_low = _mm256_set_m128i(_mm_cvtepu8_epi32(_mm_srli_si128(shifts, 8)),
                                       _mm_cvtepu8_epi32(shifts));
    found.shift_high = _mm256_set_m128i(_mm_cvtepu8_epi32(_mm_srli_si128(shifts, 12)),
                                        _mm_cvtepu8_epi32(_mm_srli_si128(shifts, 4)));
    return found;
}

/* Sixteen channels of an output band. */
static inline void sd_avx2_nine_taps(const sd_avx2_sixteen *by, const uint8_t *const *taps,
                                     uint32_t channel, uint8_t *output)
{
    __m256i low = by->bias_low, high = by->bias_high, bytes;

    for (uint32_t pair = 0; pair < SD_AVX2_PAIRS; pair++) {
        const uint32_t tap = 2u * pair;
        const __m256i first = _mm256_cvtepu8_epi16(sd_avx2_load(taps[tap] + channel));
        const __m256i second = tap + 1u < 9u
                                   ? _mm256_cvtepu8_epi16(sd_avx2_load(taps[tap + 1u] + channel))
                                   : _mm256_setzero_si256();
        low = sd_avx2_multiply_add(low, _mm256_unpacklo_epi16(first, second), by->low[pair]);
        high = sd_avx2_multiply_add(high, _mm256_unpackhi_epi16(first, second), by->high[pair]);
    }
    bytes = _mm256_packs_epi32(_mm256_srav_epi32(low, by->shift_low),
                               _mm256_srav_epi32(high, by->shift_high));
    bytes = _mm256_packus_epi16(bytes, bytes);
    _mm_storeu_si128((__m128i *)(void *)(output + channel),
                     _mm256_castsi256_si128(_mm256_permute4x64_epi64(bytes, 8)));
}

/* 3 x 3, sixteen channels after the other in every output band; returns how many are done. */
static inline uint32_t sd_avx2_depthwise(const sd_depthwise_parameters *depthwise,
                                         const sd_step *step)
{
    uint32_t channel = 0;

    for (; channel + SD_AVX2_CHANNELS <= depthwise->n_channels; channel += SD_AVX2_CHANNELS) {
        const sd_avx2_sixteen by = sd_avx2_sixteen_of(depthwise, channel);
        uint8_t *output = step->output;
        for (uint32_t band = 0; band < depthwise->window.bands_out; band++) {
            const uint8_t *taps[SD_MAX_TAPS];
            sd_find_taps(depthwise, step, band, taps);
            sd_avx2_nine_taps(&by, taps, channel, output);
            output += depthwise->n_channels;
        }
    }
    return channel;
}

#endif
