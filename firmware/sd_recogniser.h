/* Samples in, a word out: a whole recogniser as one object, the same for every model.
 *
 *     #include "model.h"                  (generated: names the model; nothing else below does)
 *
 *     static sd_recogniser recogniser;
 *     static MODEL_MEMORY memory;         (all the RAM that the model needs)
 *     int32_t logits[MODEL_N_CLASSES];
 *     uint16_t word;
 *
 *     status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, sizeof memory);
 *     for each clip:
 *         status = sd_recogniser_hear(&recogniser, samples, n);     (blocks of any size)
 *         status = sd_recogniser_result(&recogniser, logits, &word);
 *         ... use MODEL.labels[word] ...
 *         status = sd_recogniser_reset(&recogniser);
 *
 * Every function returns SD_OK or what was wrong with the call. A call that was wrong changes
 * nothing, except that SD_CLIP_FULL has taken the samples that still had room.
 *
 * No allocation, no floating point, no recursion. The caller owns all memory; a model is constant
 * and may be shared by any number of recognisers. One recogniser is for one thread at a time. */
#ifndef SD_RECOGNISER_H
#define SD_RECOGNISER_H

#include <stdint.h>

#include "sd_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SD_ABI 2u /* of sd_model and of what it points to */

#define SD_MEMORY_ALIGNMENT 8u

typedef enum {
    SD_OK = 0,
    SD_NULL_POINTER,      /* an argument that must not be null */
    SD_OTHER_ABI,         /* the model was generated for another version of these sources */
    SD_OTHER_MODEL,       /* the model is not the one whose header the application includes */
    SD_MEMORY_UNALIGNED,  /* not aligned to SD_MEMORY_ALIGNMENT bytes */
    SD_MEMORY_TOO_SMALL,  /* fewer bytes than the model needs */
    SD_NOT_INITIALISED,   /* no sd_recogniser_init of this recogniser has succeeded */
    SD_ALREADY_ANSWERED,  /* the result was given: reset first */
    SD_NOTHING_HEARD,     /* no sample since the reset: there is no word */
    SD_CLIP_FULL          /* the model takes no more of this clip: some samples were ignored */
} sd_status;

struct sd_model;

/* How a model hears: from samples to logits, in the memory of a recogniser. */
typedef struct {
    void (*reset)(const struct sd_model *model, void *memory);
    sd_status (*hear)(const struct sd_model *model, void *memory, const int16_t *samples,
                      uint32_t n_samples);
    void (*answer)(const struct sd_model *model, void *memory, int32_t *logits);
} sd_hearing;

extern const sd_hearing sd_by_frame; /* cepstra, clips of any length; parts: sd_frame_parts */
extern const sd_hearing sd_by_word;  /* log-mel bands, clips of one; parts: sd_word_parts */

/* Where in the memory what lies, in bytes. */
typedef struct {
    uint32_t frontend;
    uint32_t scratch;
    uint32_t features;
    uint32_t graph;
} sd_frame_parts;

typedef struct {
    uint32_t word;
    uint32_t kept;
    uint32_t recent, spectrum, frontend; /* while listening */
    uint32_t graph, features;            /* afterwards; may lie on those */
} sd_word_parts;

/* A model: generated. */
typedef struct sd_model {
    uint32_t abi;              /* SD_ABI */
    uint32_t id;               /* digest of all that decides its results */
    const sd_hearing *hearing; /* sd_by_frame or sd_by_word */
    const sd_frontend_spec *frontend;
    const void *network;       /* sd_graph */
    const void *parts;         /* sd_frame_parts or sd_word_parts */
    const char *const *labels; /* n_classes words, UTF-8 */
    uint32_t memory_bytes;
    uint16_t n_classes;
} sd_model;

/* To be zero before sd_recogniser_init: static, or set with = {0}. */
typedef struct {
    const sd_model *model;
    void *memory;
    uint32_t phase;
} sd_recogniser;

/* Get ready for the first clip.
 * id: MODEL_ID of the header that the application was compiled with.
 * memory: of at least model->memory_bytes, in use until the recogniser is no longer. */
sd_status sd_recogniser_init(sd_recogniser *recogniser, const sd_model *model, uint32_t id,
                             void *memory, uint32_t n_bytes);

/* Get ready for the next clip; allowed at any time. */
sd_status sd_recogniser_reset(sd_recogniser *recogniser);

/* Take the next samples of the clip, n_samples of them; samples may be null if that is 0. */
sd_status sd_recogniser_hear(sd_recogniser *recogniser, const int16_t *samples,
                             uint32_t n_samples);

/* End the clip. logits: n_classes of them; word: the class with the greatest, the first among
 * equals. */
sd_status sd_recogniser_result(sd_recogniser *recogniser, int32_t *logits, uint16_t *word);

#ifdef __cplusplus
}
#endif

#endif
