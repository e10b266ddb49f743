/* Kernels for int8 weights: see sd_kernels.h for their order. */
#include "sd_kernels.h"
#include "sd_unit.h"

#if defined(__AVX2__) && !defined(SD_PORTABLE)
#include "sd_avx2.h"
#endif

enum { WEIGHT_OFFSET = 128 };

/* 128 sum(v): what the accumulators have too much because stored weights are 128 too large. */
static int32_t excess(const int16_t *operand, uint32_t n)
{
    int32_t sum = 0;
    while (n-- > 0u) {
        sum += *operand++;
    }
    return WEIGHT_OFFSET * sum;
}

/* Four rows times one vector; returns the weights that follow. */
static const uint8_t *multiply_unit(const uint8_t *weights, const int16_t *operand, uint32_t n,
                                    int32_t accumulator[4])
{
    int32_t i = accumulator[0];
    int32_t f = accumulator[1];
    int32_t g = accumulator[2];
    int32_t o = accumulator[3];

    for (const int16_t *end = operand + (n & ~1u); operand != end; operand += 2, weights += 8) {
        int32_t v = operand[0];
        i += weights[0] * v;
        f += weights[2] * v;
        g += weights[4] * v;
        o += weights[6] * v;
        v = operand[1];
        i += weights[1] * v;
        f += weights[3] * v;
        g += weights[5] * v;
        o += weights[7] * v;
    }
    if ((n & 1u) != 0u) {
        const int32_t v = operand[0];
        i += weights[0] * v;
        f += weights[1] * v;
        g += weights[2] * v;
        o += weights[3] * v;
        weights += 4;
    }
    accumulator[0] = i;
    accumulator[1] = f;
    accumulator[2] = g;
    accumulator[3] = o;
    return weights;
}

static void lstm(const sd_lstm_layer *layer, const int16_t *operand, int16_t *cell, int16_t *fresh)
{
    const uint32_t n_columns = (uint32_t)layer->n_inputs + layer->n_units;
    const int32_t too_much = excess(operand, n_columns);
    const uint8_t *weights = layer->weights;
    const int32_t *bias = layer->bias;
    const uint8_t *shift = layer->shift;
    const int16_t *end = fresh + layer->n_units;

#if defined(__AVX2__) && !defined(SD_PORTABLE)
    const uint32_t n_done = sd_avx2_int8(layer, operand, too_much, cell, fresh);
    weights += 4u * n_done * n_columns;
    bias += 4u * n_done;
    shift += 4u * n_done;
    cell += n_done;
    fresh += n_done;
#endif
    for (; fresh != end; fresh++, cell++, bias += 4, shift += 4) {
        int32_t accumulator[4];
        for (uint32_t gate = 0; gate < 4u; gate++) {
            accumulator[gate] = bias[gate] - too_much;
        }
        weights = multiply_unit(weights, operand, n_columns, accumulator);
        *fresh = sd_unit_step(accumulator, shift, layer->cell_bits, cell);
    }
}

static void dense(const uint8_t *weights, const int32_t *bias, const int16_t *operand,
                  uint16_t n_inputs, uint16_t n_outputs, int32_t *logits)
{
    const int32_t too_much = excess(operand, n_inputs);

    for (uint32_t c = 0; c < n_outputs; c++) {
        int32_t accumulator = bias[c] - too_much;
        for (uint32_t j = 0; j < n_inputs; j++) {
            accumulator += *weights++ * operand[j];
        }
        logits[c] = accumulator;
    }
}

const sd_kernels sd_int8 = {lstm, dense};
