/* Listening through a sliding window: see sd_sliding.h. */
#include "sd_sliding.h"

#include "sd_argmax.h"
#include "sd_fixed.h"
#include "sd_share.h"
#include "sd_word.h"

static void *at(void *memory, uint32_t offset)
{
    return (uint8_t *)memory + offset;
}

sd_status sd_sliding_init(sd_sliding *sliding, const sd_sliding_spec *spec, uint32_t id,
                          void *memory, uint32_t n_bytes)
{
    sd_status status;
    uint32_t i;
    if (sliding == 0 || spec == 0) {
        return SD_NULL_POINTER;
    }
    status = sd_recogniser_init(&sliding->recogniser, spec->model, id, memory, n_bytes);
    if (status != SD_OK) {
        return status;
    }
    sliding->spec = spec;
    sliding->logits = at(memory, spec->logits);
    sliding->sums = at(memory, spec->sums);
    sliding->probabilities = at(memory, spec->probabilities);
    for (i = 0; i < spec->model->n_classes; i++) {
        sliding->sums[i] = 0;
    }
    for (i = 0; i < (uint32_t)spec->model->n_classes * spec->n_smoothed; i++) {
        sliding->probabilities[i] = 0;
    }
    sliding->n_heard = 0;
    sliding->free_from = 0;
    sliding->left = spec->window;
    sliding->slot = 0;
    return SD_OK;
}

/* Logits of the last n_frames frames, whatever was louder before. The frames stay where they are:
 * in this memory the network has its own place. */
static void ask(const sd_model *model, void *memory, int32_t *logits)
{
    const sd_word_parts *parts = model->parts;
    sd_word *word = at(memory, parts->word);
    word->loudest = word->sum;
    word->first_row = word->next; /* the oldest: all rows are valid */
    word->age = 0;
    model->hearing->answer(model, memory, logits);
    word->loudest = UINT64_MAX; /* the next frames choose no word of their own */
}

/* For quotients below 2^14. */
static SD_NOINLINE uint16_t divide(uint32_t numerator, uint32_t denominator)
{
    return (uint16_t)sd_divide(numerator, denominator);
}

/* Take the probabilities of the last window into the mean; returns the likeliest class. */
static uint16_t smooth(sd_sliding *sliding)
{
    const sd_sliding_spec *spec = sliding->spec;
    const uint16_t n_classes = spec->model->n_classes;
    const int32_t greatest = sliding->logits[sd_argmax(sliding->logits, n_classes)];
    uint16_t *probability = sliding->probabilities + (uint32_t)sliding->slot * n_classes;
    uint32_t total = 0; /* Q15: at most 2^15 a class */
    uint16_t c;
    for (c = 0; c < n_classes; c++) {
        sliding->sums[c] -= probability[c];
        probability[c] = (uint16_t)sd_share(&spec->confidence, greatest, sliding->logits[c]);
        total += probability[c];
    }
    for (c = 0; c < n_classes; c++) {
        probability[c] = divide((uint32_t)SD_CERTAIN * probability[c], total);
        sliding->sums[c] += probability[c];
    }
    sliding->slot++;
    if (sliding->slot == spec->n_smoothed) {
        sliding->slot = 0;
    }
    return sd_argmax(sliding->sums, n_classes);
}

/* Judge the window that is complete. */
static void judge(sd_sliding *sliding, sd_event *event)
{
    const sd_sliding_spec *spec = sliding->spec;
    const uint64_t start = sliding->n_heard - spec->window; /* of the last window */
    const uint32_t later = ((uint32_t)spec->n_smoothed - 1u) * spec->step; /* than the first one */
    uint16_t word, confidence;
    ask(spec->model, sliding->recogniser.memory, sliding->logits);
    word = smooth(sliding);
    confidence = divide((uint32_t)sliding->sums[word], spec->n_smoothed);
    if (spec->silent[word] != 0u || confidence < spec->threshold || start < sliding->free_from) {
        return;
    }
    event->verdict = SD_WORD;
    event->word = word;
    event->confidence = confidence;
    event->start = start;
    event->end = sliding->n_heard - later; /* of the first window */
    event->decided = sliding->n_heard;
    sliding->free_from = event->end + spec->refractory;
}

sd_status sd_sliding_hear(sd_sliding *sliding, const int16_t *samples, uint32_t n_samples,
                          uint32_t *n_taken, sd_event *event)
{
    sd_status status = SD_OK;
    uint32_t done = 0;

    if (sliding == 0 || n_taken == 0 || event == 0 || (samples == 0 && n_samples > 0u)) {
        return SD_NULL_POINTER;
    }
    if (sliding->spec == 0) {
        return SD_NOT_INITIALISED;
    }
    sd_event_clear(event);
    while (status == SD_OK && done < n_samples && event->verdict == SD_NOTHING) {
        const uint32_t rest = n_samples - done;
        const uint32_t n = rest < sliding->left ? rest : sliding->left;
        status = sd_recogniser_hear(&sliding->recogniser, samples + done, n);
        done += n;
        sliding->n_heard += n;
        sliding->left -= n;
        if (sliding->left == 0u) {
            judge(sliding, event);
            sliding->left = sliding->spec->step;
        }
    }
    *n_taken = done;
    return status;
}
