/* Kernels for int8 weights: see sd_kernels.h for their order. */
#include "sd_kernels.h"
#include "sd_rows.h"
#include "sd_unit.h"

#if SD_AVX2
#include "sd_avx2.h"
#endif

static void lstm(const sd_lstm_layer *layer, const int16_t *operand, int16_t *cell, int16_t *fresh)
{
    const uint32_t n_columns = (uint32_t)layer->n_inputs + layer->n_units;
    const int32_t too_much = sd_rows_excess(operand, n_columns);
    const uint8_t *weights = layer->weights;
    const int32_t *bias = layer->bias;
    const uint8_t *shift = layer->shift;
    const int16_t *end = fresh + layer->n_units;

#if SD_AVX2
    while (end - fresh >= SD_AVX2_UNITS) {
        __m128i sum[SD_AVX2_UNITS];
        for (uint32_t u = 0; u < SD_AVX2_UNITS; u += SD_AVX2_BLOCKS) {
            sd_avx2_rows(weights, operand, n_columns, SD_AVX2_BLOCKS, &sum[u]);
            weights += SD_AVX2_BLOCKS * 4u * n_columns;
        }
        sd_avx2_step(sum, bias, shift, too_much, layer->cell_bits, cell, fresh);
        bias += SD_AVX2_UNITS * 4;
        shift += SD_AVX2_UNITS * 4;
        cell += SD_AVX2_UNITS;
        fresh += SD_AVX2_UNITS;
    }
#endif
    for (; fresh != end; fresh++, cell++, bias += 4, shift += 4) {
        int32_t accumulator[4];
        weights = sd_rows_multiply(weights, bias, operand, n_columns, too_much, accumulator);
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
            accumulator += *weights++ * operand[j];
        }
        logits[c] = accumulator;
    }
}

const sd_kernels sd_int8 = {lstm, dense};
