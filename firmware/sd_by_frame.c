/* Hearing frame by frame: cepstra into an LSTM as they come. See sd_recogniser.h. */
#include "sd_frontend.h"
#include "sd_network.h"
#include "sd_recogniser.h"

static void *at(void *memory, uint32_t offset)
{
    return (uint8_t *)memory + offset;
}

static void reset(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;
    sd_network_state *state = at(memory, parts->state);

    state->sum = at(memory, parts->sum);
    state->cell = at(memory, parts->cell);
    state->operand = at(memory, parts->operand);
    state->fresh = at(memory, parts->fresh);
    sd_frontend_reset(at(memory, parts->frontend));
    sd_network_reset(model->network, state);
}

static void take_frame(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;
    int8_t *features = at(memory, parts->features);

    sd_frontend_frame(model->frontend, at(memory, parts->frontend), at(memory, parts->scratch),
                      features);
    sd_network_push(model->network, at(memory, parts->state), features);
}

/* Whether all frames that the model takes have come. */
static int is_full(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;
    const sd_network_state *state = at(memory, parts->state);
    return state->n_frames >= model->frontend->n_frames;
}

static sd_status hear(const sd_model *model, void *memory, const int16_t *samples,
                      uint32_t n_samples)
{
    const sd_frame_parts *parts = model->parts;
    sd_frontend *frontend = at(memory, parts->frontend);

    while (n_samples > 0u) {
        uint32_t n_taken;
        if (is_full(model, memory)) {
            return SD_CLIP_FULL;
        }
        n_taken = sd_frontend_push(model->frontend, frontend, samples, n_samples);
        samples += n_taken;
        n_samples -= n_taken;
        if (sd_frontend_ready(model->frontend, frontend)) {
            take_frame(model, memory);
        }
    }
    return SD_OK;
}

static void answer(const sd_model *model, void *memory, int32_t *logits)
{
    const sd_frame_parts *parts = model->parts;

    if (sd_frontend_finish(model->frontend, at(memory, parts->frontend))) {
        take_frame(model, memory);
    }
    sd_network_finish(model->network, at(memory, parts->state), logits);
}

const sd_hearing sd_by_frame = {reset, hear, answer};
