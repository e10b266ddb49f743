/* Word front-end on the host, for comparison with its Python twin: built as a shared library. */
#include "sd_model_frontend.h"

/* Features of one clip, pushed in blocks of `block` samples: SD_MODEL_FRONTEND_N_FRAMES rows of
 * SD_MODEL_FRONTEND_N_FEATURES. Returns the number of frames. */
uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features);

uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features)
{
    const sd_frontend_spec *spec = &sd_model_frontend;
    sd_model_word_kept kept;
    sd_model_word_recent recent;
    sd_word word = SD_WORD(kept, recent);
    sd_frontend frontend;
    sd_complex spectrum[SD_FFT_POINTS];
    uint32_t done = 0, i;

    sd_frontend_reset(&frontend);
    sd_word_reset(&word);
    while (done < n_samples) {
        const uint32_t left = n_samples - done;
        done += sd_frontend_push(spec, &frontend, samples + done, left < block ? left : block);
        if (sd_frontend_ready(spec, &frontend)) {
            sd_word_push(spec, &word, &frontend, spectrum);
        }
    }
    if (sd_frontend_finish(spec, &frontend)) {
        sd_word_push(spec, &word, &frontend, spectrum);
    }
    (void)sd_word_finish(spec, &word);
    for (i = 0; i < SD_MODEL_FRONTEND_N_FRAMES * SD_MODEL_FRONTEND_N_FEATURES; i++) {
        recent.logs[i] = -1; /* free for others: what sd_word_frame reads is elsewhere */
    }
    for (i = 0; i < SD_MODEL_FRONTEND_N_FRAMES; i++) {
        sd_word_frame(spec, &word, i, features + i * SD_MODEL_FRONTEND_N_FEATURES);
    }
    return SD_MODEL_FRONTEND_N_FRAMES;
}
