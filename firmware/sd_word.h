/* Last step of the front-end for networks that see a whole word: log-mel bands relative to the
 * word's level.
 *
 * Twin of spoken_digits/integer/frontend/log_mel.py, equal bit for bit. Of a clip of any length,
 * the spec->n_frames consecutive frames with the most energy are the word; a shorter clip is
 * centred in silence. Use:
 *
 *     static digits_word_kept kept;        (both types: generated, with `digits_frontend`)
 *     static digits_word_recent recent;
 *     static sd_complex spectrum[SD_FFT_POINTS];
 *     static sd_frontend frontend;
 *     static sd_word word = SD_WORD(kept, recent);
 *
 *     sd_frontend_reset(&frontend);                        (before each clip)
 *     sd_word_reset(&word);
 *     for each block of samples, of any size:
 *         while (n > 0) {
 *             taken = sd_frontend_push(&digits_frontend, &frontend, block, n);
 *             block += taken;  n -= taken;
 *             if (sd_frontend_ready(&digits_frontend, &frontend)) {
 *                 sd_word_push(&digits_frontend, &word, &frontend, spectrum);
 *             }
 *         }
 *     if (sd_frontend_finish(&digits_frontend, &frontend)) {     (shorter than one window)
 *         sd_word_push(&digits_frontend, &word, &frontend, spectrum);
 *     }
 *     sd_word_finish(&digits_frontend, &word);
 *     for (i = 0; i < digits_frontend.n_frames; i++) {
 *         sd_word_frame(&digits_frontend, &word, i, features);
 *     }
 *
 * Memory, when it is needed:
 *     spectrum          while sd_word_push runs
 *     recent, frontend  from the reset until sd_word_finish has returned
 *     kept, word        from the reset until the last sd_word_frame
 * So a network's scratch may share spectrum, recent and frontend. */
#ifndef SD_WORD_H
#define SD_WORD_H

#include <stdint.h>

#include "sd_frontend.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sd_word_spec {
    int32_t floor_depth; /* floor below the word's level, octaves in Q8 */
    int32_t gain;        /* feature steps an octave, Q10 */
    int8_t silence;      /* the feature of silence */
} sd_word_spec;

/* Points into memory of the caller: n_frames rows of n_mels features, and as many of logs. */
typedef struct {
    int8_t *kept;       /* frames of the word that are no longer in `recent`; after the end, all */
    int16_t *recent;    /* the last n_frames frames, a ring */
    uint64_t sum;       /* of their energies */
    uint64_t loudest;   /* energy of the word so far */
    int32_t level;      /* log2 of the word's mean band energy, Q8; once a frame is in `kept` */
    uint16_t n_valid;   /* frames in `recent` */
    uint16_t next;      /* row of the frame to come */
    uint16_t first_row; /* of the word */
    uint16_t age;       /* frames since the word's last one, at most n_frames */
} sd_word;

#define SD_WORD(kept, recent)                                                                      \
    {                                                                                              \
        (kept).features, (recent).logs, 0, 0, 0, 0, 0, 0, 0                                        \
    }

/* Start a new clip. */
void sd_word_reset(sd_word *word);

/* Take the full window of `frontend` as the next frame, and advance it by one hop. spec->word must
 * not be NULL. Call it only when sd_frontend_ready returns 1. A clip may have any number of
 * frames; none costs more than another. spectrum: scratch. */
void sd_word_push(const sd_frontend_spec *spec, sd_word *word, sd_frontend *frontend,
                  sd_complex spectrum[SD_FFT_POINTS]);

/* End the word: after it, `recent` is free for other uses until the next reset. Returns how many
 * of the n_frames frames hold sound, 0 if there was no frame since the reset; all others are
 * silence. Further frames may be pushed, and the word ended again, if `recent` was left alone. */
uint16_t sd_word_finish(const sd_frontend_spec *spec, sd_word *word);

/* n_mels features of frame i of the finished word, i in 0..n_frames - 1, in any order, as often as
 * wanted; silence for any other i. */
void sd_word_frame(const sd_frontend_spec *spec, const sd_word *word, uint32_t i, int8_t *features);

#ifdef __cplusplus
}
#endif

#endif
