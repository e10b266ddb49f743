/* Kernels for power-of-two weights: shifts and adds in place of multiplication.
 *
 * For each pair of columns, doubling and negating give the sixteen possible products of each
 * operand; each weight then costs one look-up and one addition. See sd_kernels.h for the codes and
 * their order. */
#include "sd_kernels.h"
#include "sd_unit.h"

#if defined(__AVX2__) && !defined(SD_PORTABLE)
#define USE_AVX2 1
#include "sd_avx2.h"
#else
#define USE_AVX2 0
#endif

enum {
    N_CODES = 16,
    NEGATIVE = 8,    /* codes from here on are negative */
    BLOCK_UNITS = 12 /* units that share the sixteen products: 4 accumulators each on the stack */
};

/* product[code] = weight(code) * operand */
static void lay_out_products(int32_t product[N_CODES], int32_t operand)
{
    product[0] = 0;
    product[NEGATIVE] = 0;
    product[1] = operand;
    product[NEGATIVE + 1] = -operand;
    operand += operand;
    product[2] = operand;
    product[NEGATIVE + 2] = -operand;
    operand += operand;
    product[3] = operand;
    product[NEGATIVE + 3] = -operand;
    operand += operand;
    product[4] = operand;
    product[NEGATIVE + 4] = -operand;
    operand += operand;
    product[5] = operand;
    product[NEGATIVE + 5] = -operand;
    operand += operand;
    product[6] = operand;
    product[NEGATIVE + 6] = -operand;
    operand += operand;
    product[7] = operand;
    product[NEGATIVE + 7] = -operand;
}

/* Accumulators of n_units units, gates i, f, g, o of each. */
static void multiply_block(const uint8_t *weights, const int16_t *operand, uint32_t n_columns,
                           uint32_t n_units, int32_t *accumulator)
{
    const uint32_t unit_bytes = 4u * ((n_columns + 1u) / 2u);
    const int32_t *end = accumulator + 4u * n_units;
    int32_t even[N_CODES];
    int32_t odd[N_CODES];

    for (uint32_t k = 0; k < n_columns; k += 2, weights += 4) {
        const uint8_t *row = weights;
        lay_out_products(even, operand[k]);
        lay_out_products(odd, k + 1u < n_columns ? operand[k + 1u] : 0);
        for (int32_t *a = accumulator; a != end; a += 4, row += unit_bytes) {
            a[0] += even[row[0] & 15u] + odd[row[0] >> 4];
            a[1] += even[row[1] & 15u] + odd[row[1] >> 4];
            a[2] += even[row[2] & 15u] + odd[row[2] >> 4];
            a[3] += even[row[3] & 15u] + odd[row[3] >> 4];
        }
    }
}

#if USE_AVX2
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
            wide[u] = _mm256_add_epi32(wide[u], _mm256_madd_epi16(w16, v));
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

static void lstm(const sd_lstm_layer *layer, const int16_t *operand, int16_t *cell, int16_t *fresh)
{
    const uint32_t n_columns = (uint32_t)layer->n_inputs + layer->n_units;
    const uint32_t unit_bytes = 4u * ((n_columns + 1u) / 2u);
    uint32_t unit = 0;

#if USE_AVX2
    for (; layer->n_units - unit >= SD_AVX2_UNITS; unit += SD_AVX2_UNITS) {
        __m128i sum[SD_AVX2_UNITS];
        multiply_eight(layer->weights + unit * unit_bytes, operand, n_columns, unit_bytes, sum);
        sd_avx2_step(sum, &layer->bias[4u * unit], &layer->shift[4u * unit], 0, layer->cell_bits,
                     &cell[unit], &fresh[unit]);
    }
#endif
    while (unit < layer->n_units) {
        const uint32_t left = layer->n_units - unit;
        const uint32_t n_units = left < BLOCK_UNITS ? left : BLOCK_UNITS;
        int32_t accumulator[4 * BLOCK_UNITS];

        for (uint32_t r = 0; r < 4u * n_units; r++) {
            accumulator[r] = layer->bias[4u * unit + r];
        }
        multiply_block(layer->weights + unit * unit_bytes, operand, n_columns, n_units,
                       accumulator);
        for (uint32_t u = 0; u < n_units; u++, unit++) {
            fresh[unit] = sd_unit_step(&accumulator[4u * u], &layer->shift[4u * unit],
                                       layer->cell_bits, &cell[unit]);
        }
    }
}

static void dense(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint16_t n_inputs, uint16_t n_outputs, int32_t *logits)
{
    const uint32_t row_bytes = ((uint32_t)n_inputs + 1u) / 2u;
    int32_t even[N_CODES];
    int32_t odd[N_CODES];

    for (uint32_t c = 0; c < n_outputs; c++) {
        logits[c] = bias[c];
    }
    for (uint32_t j = 0; j < n_inputs; j += 2, weights++) {
        const uint8_t *row = weights;
        lay_out_products(even, operand[j]);
        lay_out_products(odd, j + 1u < n_inputs ? operand[j + 1u] : 0);
        for (uint32_t c = 0; c < n_outputs; c++, row += row_bytes) {
            logits[c] += even[*row & 15u] + odd[*row >> 4];
        }
    }
}

const sd_kernels sd_pow2 = {lstm, dense};
