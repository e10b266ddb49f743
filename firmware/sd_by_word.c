/* Hearing a whole word: log-mel bands of its loudest stretch, then a graph of operators. See
 * sd_recogniser.h. */
#include "sd_graph.h"
#include "sd_recogniser.h"
#include "sd_word.h"

static void *at(void *memory, uint32_t offset)
{
    return (uint8_t *)memory + offset;
}

static void reset(const sd_model *model, void *memory)
{
    const sd_word_parts *parts = model->parts;
    sd_word *word = at(memory, parts->word);

    word->kept = at(memory, parts->kept);
    word->recent = at(memory, parts->recent);
    sd_word_reset(word);
    sd_frontend_reset(at(memory, parts->frontend));
}

static void take_frame(const sd_model *model, void *memory)
{
    const sd_word_parts *parts = model->parts;
    sd_word_push(model->frontend, at(memory, parts->word), at(memory, parts->frontend),
                 at(memory, parts->spectrum));
}

static sd_status hear(const sd_model *model, void *memory, const int16_t *samples,
                      uint32_t n_samples)
{
    const sd_word_parts *parts = model->parts;
    sd_frontend *frontend = at(memory, parts->frontend);

    while (n_samples > 0u) {
        const uint32_t n_taken = sd_frontend_push(model->frontend, frontend, samples, n_samples);
        samples += n_taken;
        n_samples -= n_taken;
        if (sd_frontend_ready(model->frontend, frontend)) {
            take_frame(model, memory);
        }
    }
    return SD_OK;
}

/* The graph takes the memory of all that was needed for listening, but for the word itself. */
static void answer(const sd_model *model, void *memory, int32_t *logits)
{
    const sd_word_parts *parts = model->parts;
    sd_word *word = at(memory, parts->word);
    int8_t *features = at(memory, parts->features);
    uint32_t i;

    if (sd_frontend_finish(model->frontend, at(memory, parts->frontend))) {
        take_frame(model, memory);
    }
    (void)sd_word_finish(model->frontend, word);
    sd_graph_reset(model->network, at(memory, parts->graph));
    for (i = 0; i < model->frontend->n_frames; i++) {
        sd_word_frame(model->frontend, word, i, features);
        (void)sd_graph_push(model->network, at(memory, parts->graph), features);
    }
    (void)sd_graph_finish(model->network, at(memory, parts->graph), logits);
}

const sd_hearing sd_by_word = {reset, hear, answer};
