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
    for (uint32_t n; (n = sd_avx2_next_units((uint32_t)(end - fresh))) > 0u;) {
        __m128i sum[SD_AVX2_MOST_UNITS];
        for (uint32_t u = 0; u < n; u += SD_AVX2_BLOCKS) {
            sd_avx2_rows(weights, operand, n_columns, SD_AVX2_BLOCKS, &sum[u]);
            weights += SD_AVX2_BLOCKS * 4u * n_columns;
        }
        sd_avx2_steps(sum, n, bias, shift, excess, lstm->cell_bits, cell, fresh);
        bias += 4u * n;
        shift += 4u * n;
        cell += n;
        fresh += n;
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
