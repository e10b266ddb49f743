/* Hearing frame by frame: cepstra into a graph of clips of any length as they come. See
 * sd_recogniser.h. */
#include "sd_frontend.h"
#include "sd_graph.h"
#include "sd_recogniser.h"

static void *at(void *memory, uint32_t offset)
{
    return (uint8_t *)memory + offset;
}

static void reset(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;

    sd_frontend_reset(at(memory, parts->frontend));
    sd_graph_reset(model->network, at(memory, parts->graph));
}

static void take_frame(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;
    int8_t *features = at(memory, parts->features);

    sd_frontend_frame(model->frontend, at(memory, parts->frontend), at(memory, parts->scratch),
                      features);
    (void)sd_graph_push(model->network, at(memory, parts->graph), features);
}

/* Whether all frames that the model takes have come. */
static int is_full(const sd_model *model, void *memory)
{
    const sd_frame_parts *parts = model->parts;
    return sd_graph_n_done(at(memory, parts->graph)) >= model->frontend->n_frames;
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
    (void)sd_graph_finish(model->network, at(memory, parts->graph), logits);
}

const sd_hearing sd_by_frame = {reset, hear, answer};
