/* A layer of LSTM units, int8 weights: see sd_operators.h. */
#include "sd_operators.h"
#include "sd_rows.h"
#include "sd_unit.h"

#if SD_AVX2
#include "sd_avx2.h"
#endif

void sd_lstm(const void *parameters, const sd_step *step)
{
    const sd_lstm_parameters *lstm = parameters;
    const uint32_t n_columns = (uint32_t)lstm->n_inputs + lstm->n_units;
    const int16_t *operand = step->frames[0];
    const uint8_t *weights = lstm->weights;
    const int32_t *bias = lstm->bias;
    const uint8_t *shift = lstm->shift;
    int16_t *hidden = step->output;
    int16_t *cell = step->state;
    int16_t *fresh = step->scratch;
    const int16_t *end = fresh + lstm->n_units;
    const int32_t excess = sd_rows_excess(operand, n_columns);

#if SD_AVX2
    while (end - fresh >= SD_AVX2_UNITS) {
        __m128i sum[SD_AVX2_UNITS];
        for (uint32_t u = 0; u < SD_AVX2_UNITS; u++, weights += 4u * n_columns) {
            sum[u] = sd_avx2_rows(weights, operand, n_columns);
        }
        sd_avx2_step(sum, bias, shift, excess, lstm->cell_bits, cell, fresh);
        bias += SD_AVX2_UNITS * 4;
        shift += SD_AVX2_UNITS * 4;
        cell += SD_AVX2_UNITS;
        fresh += SD_AVX2_UNITS;
    }
#endif
    for (; fresh != end; fresh++, cell++, bias += 4, shift += 4) {
        int32_t accumulator[4];
        weights = sd_rows_multiply(weights, bias, operand, n_columns, excess, accumulator);
        *fresh = sd_unit_step(accumulator, shift, lstm->cell_bits, cell);
    }
    for (fresh = step->scratch; fresh != end; fresh++) {
        *hidden++ = *fresh;
    }
}
