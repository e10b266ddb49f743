/* A layer of LSTM units, weights of powers of two: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_rows_pow2.h"
#include "sd_unit.h"

#if SD_AVX2
#include "sd_avx2.h"
#endif

#if SD_AVX2
/* Eight bytes of codes -> sixteen weights, the even column of each byte first. */
static inline __m256i decode(__m128i codes)
{
    const __m128i value =
        _mm_setr_epi8(0, 1, 2, 4, 8, 16, 32, 64, 0, -1, -2, -4, -8, -16, -32, -64);
    const __m128i low = _mm_set1_epi8(15);
    const __m128i even = _mm_and_si128(codes, low);
    const __m128i odd = _mm_and_si128(_mm_srli_epi16(codes, 4), low);
    return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(value, _mm_unpacklo_epi8(even, odd)));
}

/* Eight rows of four gates times one vector: a desktop's multiply-add is as good as a shift. */
static void multiply_eight(const uint8_t *weights, const int16_t *operand, uint32_t n_columns,
                           uint32_t unit_bytes, __m128i sum[SD_AVX2_UNITS])
{
    const uint32_t rest = n_columns % 4u;
    __m256i wide[SD_AVX2_UNITS];

    for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
        wide[u] = _mm256_setzero_si256();
    }
    for (uint32_t k = rest; k < n_columns; k += 4, operand += 4, weights += 8) {
        const __m256i v = sd_avx2_operands(operand);
        for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
            const void *w = &weights[u * unit_bytes];
            const __m256i w16 = decode(_mm_loadl_epi64((const __m128i *)w));
            wide[u] = sd_avx2_multiply_add(wide[u], w16, v);
        }
    }
    for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
        sum[u] = sd_avx2_fold(wide[u]);
        for (uint32_t k = 0; k < rest; k += 2) {
            const __m128i codes = sd_avx2_load32(&weights[u * unit_bytes + 2u * k]);
            const __m128i w16 = _mm256_castsi256_si128(decode(codes));
            const __m128i v = sd_avx2_pair(&operand[k], rest - k);
            sum[u] = _mm_add_epi32(sum[u], _mm_madd_epi16(w16, v));
        }
    }
}
#endif

void sd_lstm_pow2(const void *parameters, const sd_step *step)
{
    const sd_lstm_parameters *lstm = parameters;
    const uint32_t n_units = lstm->n_units;
    const uint32_t n_columns = lstm->n_inputs + n_units;
    const uint32_t unit_bytes = sd_rows_pow2_bytes(n_columns);
    const int16_t *operand = step->frames[0];
    int16_t *hidden = step->output;
    int16_t *cell = step->state;
    int16_t *fresh = step->scratch;
    uint32_t unit = 0;

#if SD_AVX2
    for (uint32_t n; (n = sd_avx2_next_units(n_units - unit)) > 0u; unit += n) {
        __m128i sum[SD_AVX2_MOST_UNITS];
        for (uint32_t u = 0; u < n; u += SD_AVX2_UNITS) {
            multiply_eight(lstm->weights + (unit + u) * unit_bytes, operand, n_columns, unit_bytes,
                           &sum[u]);
        }
        sd_avx2_steps(sum, n, &lstm->bias[4u * unit], &lstm->shift[4u * unit], 0, lstm->cell_bits,
                      &cell[unit], &fresh[unit]);
    }
#endif
    while (unit < n_units) {
        const uint32_t left = 4u * (n_units - unit);
        const uint32_t n_rows = left < SD_ROWS_POW2 ? left : SD_ROWS_POW2;
        sd_rows_pow2_sums sums;

        sd_rows_pow2(lstm->weights + unit * unit_bytes, &lstm->bias[4u * unit], operand, n_columns,
                     n_rows, &sums);
        for (uint32_t row = 0; row < n_rows; row += 4u, unit++) {
            fresh[unit] = sd_unit_step(&sums.accumulator[row], &lstm->shift[4u * unit],
                                       lstm->cell_bits, &cell[unit]);
        }
    }
    for (unit = 0; unit < n_units; unit++) {
        hidden[unit] = fresh[unit];
    }
}
