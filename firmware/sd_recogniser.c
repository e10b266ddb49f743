/* What every call checks before the model works: see sd_recogniser.h. */
#include "sd_recogniser.h"

#include "sd_argmax.h"

/* Values that memory never set to anything is unlikely to hold. */
#define PHASE_SILENT 0x53696C31u
#define PHASE_HEARING 0x48656132u
#define PHASE_ANSWERED 0x416E7333u

static sd_status check(const sd_recogniser *recogniser)
{
    if (recogniser == 0) {
        return SD_NULL_POINTER;
    }
    if (recogniser->phase != PHASE_SILENT && recogniser->phase != PHASE_HEARING &&
        recogniser->phase != PHASE_ANSWERED) {
        return SD_NOT_INITIALISED;
    }
    return SD_OK;
}

/* The same for a call that belongs to a clip. */
static sd_status check_clip(const sd_recogniser *recogniser)
{
    const sd_status status = check(recogniser);
    if (status == SD_OK && recogniser->phase == PHASE_ANSWERED) {
        return SD_ALREADY_ANSWERED;
    }
    return status;
}

sd_status sd_recogniser_init(sd_recogniser *recogniser, const sd_model *model, uint32_t id,
                             void *memory, uint32_t n_bytes)
{
    if (recogniser == 0 || model == 0 || memory == 0) {
        return SD_NULL_POINTER;
    }
    if (model->abi != SD_ABI) {
        return SD_OTHER_ABI; /* nothing behind the version can be trusted */
    }
    if (model->id != id) {
        return SD_OTHER_MODEL;
    }
    if (((uintptr_t)memory & (SD_MEMORY_ALIGNMENT - 1u)) != 0u) {
        return SD_MEMORY_UNALIGNED;
    }
    if (n_bytes < model->memory_bytes) {
        return SD_MEMORY_TOO_SMALL;
    }
    recogniser->model = model;
    recogniser->memory = memory;
    recogniser->phase = PHASE_SILENT;
    model->hearing->reset(model, memory);
    return SD_OK;
}

sd_status sd_recogniser_reset(sd_recogniser *recogniser)
{
    const sd_status status = check(recogniser);
    if (status != SD_OK) {
        return status;
    }
    recogniser->model->hearing->reset(recogniser->model, recogniser->memory);
    recogniser->phase = PHASE_SILENT;
    return SD_OK;
}

sd_status sd_recogniser_hear(sd_recogniser *recogniser, const int16_t *samples, uint32_t n_samples)
{
    const sd_status status = check_clip(recogniser);
    if (status != SD_OK) {
        return status;
    }
    if (n_samples == 0u) {
        return SD_OK;
    }
    if (samples == 0) {
        return SD_NULL_POINTER;
    }
    recogniser->phase = PHASE_HEARING;
    return recogniser->model->hearing->hear(recogniser->model, recogniser->memory, samples,
                                            n_samples);
}

sd_status sd_recogniser_result(sd_recogniser *recogniser, int32_t *logits, uint16_t *word)
{
    const sd_status status = check_clip(recogniser);
    if (status != SD_OK) {
        return status;
    }
    if (logits == 0 || word == 0) {
        return SD_NULL_POINTER;
    }
    if (recogniser->phase != PHASE_HEARING) {
        return SD_NOTHING_HEARD;
    }
    recogniser->model->hearing->answer(recogniser->model, recogniser->memory, logits);
    recogniser->phase = PHASE_ANSWERED;
    *word = sd_argmax(logits, recogniser->model->n_classes);
    return SD_OK;
}
