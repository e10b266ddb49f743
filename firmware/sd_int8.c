/* Kernels for int8 weights: see sd_kernels.h for their order. */
#include "sd_kernels.h"
#include "sd_rows.h"
#include "sd_unit.h"

#if defined(__AVX2__) && !defined(SD_PORTABLE)
#define USE_AVX2 1
#include "sd_avx2.h"
#else
#define USE_AVX2 0
#endif

#if USE_AVX2
/* Eight rows of four gates times one vector. */
static void multiply_eight(const uint8_t *weights, const int16_t *operand, uint32_t n_columns,
                           __m128i sum[SD_AVX2_UNITS])
{
    const uint32_t unit_bytes = 4u * n_columns;
    const uint32_t rest = n_columns % 4u;
    __m256i wide[SD_AVX2_UNITS];

    for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
        wide[u] = _mm256_setzero_si256();
    }
    for (uint32_t k = rest; k < n_columns; k += 4, operand += 4, weights += 16) {
        const __m256i v = sd_avx2_operands(operand);
        for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
            const void *w = &weights[u * unit_bytes];
            const __m256i w16 = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)w));
            wide[u] = _mm256_add_epi32(wide[u], _mm256_madd_epi16(w16, v));
        }
    }
    for (uint32_t u = 0; u < SD_AVX2_UNITS; u++) {
        const uint8_t *w = &weights[u * unit_bytes];
        sum[u] = sd_avx2_fold(wide[u]);
        if (rest >= 2u) {
            const __m128i eight = _mm_loadl_epi64((const __m128i *)(const void *)w);
            const __m128i v = sd_avx2_pair(operand, 2);
            sum[u] = _mm_add_epi32(sum[u], _mm_madd_epi16(_mm_cvtepu8_epi16(eight), v));
            w += 8;
        }
        if (rest % 2u != 0u) {
            const __m128i v = sd_avx2_pair(&operand[rest - 1u], 1);
            sum[u] = _mm_add_epi32(sum[u], _mm_madd_epi16(_mm_cvtepu8_epi32(sd_avx2_load32(w)), v));
        }
    }
}
#endif

static void lstm(const sd_lstm_layer *layer, const int16_t *operand, int16_t *cell, int16_t *fresh)
{
    const uint32_t n_columns = (uint32_t)layer->n_inputs + layer->n_units;
    const int32_t too_much = sd_rows_excess(operand, n_columns);
    const uint8_t *weights = layer->weights;
    const int32_t *bias = layer->bias;
    const uint8_t *shift = layer->shift;
    const int16_t *end = fresh + layer->n_units;

#if USE_AVX2
    while (end - fresh >= SD_AVX2_UNITS) {
        __m128i sum[SD_AVX2_UNITS];
        multiply_eight(weights, operand, n_columns, sum);
        sd_avx2_step(sum, bias, shift, too_much, layer->cell_bits, cell, fresh);
        weights += SD_AVX2_UNITS * 4u * n_columns;
        bias += SD_AVX2_UNITS * 4;
        shift += SD_AVX2_UNITS * 4;
        cell += SD_AVX2_UNITS;
        fresh += SD_AVX2_UNITS;
    }
#endif
    for (; fresh != end; fresh++, cell++, bias += 4, shift += 4) {
        int32_t accumulator[4];
        for (uint32_t gate = 0; gate < 4u; gate++) {
            accumulator[gate] = bias[gate] - too_much;
        }
        weights = sd_rows_multiply(weights, operand, n_columns, accumulator);
        *fresh = sd_unit_step(accumulator, shift, layer->cell_bits, cell);
    }
}

static void dense(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint16_t n_inputs, uint16_t n_outputs, int32_t *logits)
{
    const int32_t too_much = sd_rows_excess(operand, n_inputs);

    for (uint32_t c = 0; c < n_outputs; c++) {
        int32_t accumulator = bias[c] - too_much;
        for (uint32_t j = 0; j < n_inputs; j++) {
            accumulator += *weights++ * (int32_t)operand[j]; /* an int may have 16 bits */
        }
        logits[c] = accumulator;
    }
}

const sd_kernels sd_int8 = {lstm, dense};
