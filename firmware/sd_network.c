/* Frames through the layers, mean pooling, logits: see sd_network.h. */
#include "sd_network.h"

#include "sd_activation.h"
#include "sd_fixed.h"
#include "sd_kernels.h"

#define MAX_FRAMES 65535u /* more than an enumerator may be where int has 16 bits */

enum { HIDDEN_FLOOR = 4096 /* -4096 < hidden state < 4096 */ };

static void clear16(int16_t *values, uint32_t n)
{
    while (n-- > 0u) {
        *values++ = 0;
    }
}

static const sd_lstm_layer *last_layer(const sd_network *net)
{
    return &net->layers[net->n_layers - 1];
}

void sd_network_reset(const sd_network *net, sd_network_state *state)
{
    uint32_t n_hidden = 0;
    for (uint32_t l = 0; l < net->n_layers; l++) {
        n_hidden += net->layers[l].n_units;
    }
    clear16(state->cell, n_hidden);
    clear16(state->operand, net->n_inputs + n_hidden);
    for (uint32_t j = 0; j < last_layer(net)->n_units; j++) {
        state->sum[j] = 0;
    }
    state->n_frames = 0;
}

void sd_network_push(const sd_network *net, sd_network_state *state, const int8_t *frame)
{
    /* operand is (features, hidden of layer 0, hidden of layer 1, ...): the vector that a layer
     * reads, its input and its own hidden state, is a window of it */
    int16_t *operand = state->operand;
    int16_t *cell = state->cell;

    if (state->n_frames == MAX_FRAMES) {
        return;
    }
    state->n_frames++;
    for (uint32_t k = 0; k < net->n_inputs; k++) {
        operand[k] = (int16_t)(frame[k] * (1 << net->input_shift[k]));
    }
    for (uint32_t l = 0; l < net->n_layers; l++) {
        const sd_lstm_layer *layer = &net->layers[l];
        net->kernels->lstm(layer, operand, cell, state->fresh);
        operand += layer->n_inputs;
        cell += layer->n_units;
        for (uint32_t j = 0; j < layer->n_units; j++) {
            operand[j] = state->fresh[j];
        }
    }
    for (uint32_t j = 0; j < last_layer(net)->n_units; j++) {
        state->sum[j] += state->fresh[j];
    }
}

void sd_network_finish(const sd_network *net, sd_network_state *state, int32_t *logits)
{
    const uint16_t n_units = last_layer(net)->n_units;
    const uint32_t n = state->n_frames == 0u ? 1u : state->n_frames;

    /* mean, rounded half up: floor((2 sum + n) / (2 n)), offset so that the division is unsigned */
    for (uint32_t j = 0; j < n_units; j++) {
        const uint32_t lifted = (uint32_t)(state->sum[j] + (int32_t)(n * HIDDEN_FLOOR));
        const uint32_t mean = sd_divide(2u * lifted + n, 2u * n);
        state->fresh[j] = (int16_t)((int32_t)mean - HIDDEN_FLOOR);
    }
    net->kernels->dense(net->output_weights, net->output_bias, state->fresh, n_units,
                        net->n_classes, logits);
}
