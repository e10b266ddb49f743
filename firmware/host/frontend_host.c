/* Front-end on the host, for comparison with its Python twin: built as a shared library. */
#include "sd_model_frontend.h"

/* Features of one clip, pushed in blocks of `block` samples. Returns the number of frames, at
 * most SD_MODEL_FRONTEND_N_FRAMES; features: that many rows of SD_MODEL_FRONTEND_N_FEATURES. */
uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features);

uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features)
{
    const sd_frontend_spec *spec = &sd_model_frontend;
    sd_frontend frontend;
    sd_frontend_scratch scratch;
    uint32_t n_frames = 0;
    uint32_t done = 0;

    sd_frontend_reset(&frontend);
    while (done < n_samples && n_frames < SD_MODEL_FRONTEND_N_FRAMES) {
        const uint32_t left = n_samples - done;
        done += sd_frontend_push(spec, &frontend, samples + done, left < block ? left : block);
        if (sd_frontend_ready(spec, &frontend)) {
            sd_frontend_frame(spec, &frontend, &scratch,
                              features + n_frames * SD_MODEL_FRONTEND_N_FEATURES);
            n_frames++;
        }
    }
    if (n_frames < SD_MODEL_FRONTEND_N_FRAMES && sd_frontend_finish(spec, &frontend)) {
        sd_frontend_frame(spec, &frontend, &scratch,
                              features + n_frames * SD_MODEL_FRONTEND_N_FEATURES);
        n_frames++;
    }
    return n_frames;
}
