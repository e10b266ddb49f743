/* Front-end on the host, for comparison with its Python twin: built as a shared library. */
#include "sd_frontend.h"

/* Features of one clip, pushed in blocks of `block` samples. Returns the number of frames, at
 * most SD_FRONTEND_MAX_FRAMES; features: that many rows of SD_FRONTEND_N_MFCC. */
uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features);

uint32_t sd_host_features(const int16_t *samples, uint32_t n_samples, uint32_t block,
                          int8_t *features)
{
    sd_frontend frontend;
    sd_frontend_scratch scratch;
    uint32_t n_frames = 0;
    uint32_t done = 0;

    sd_frontend_reset(&frontend);
    while (done < n_samples && n_frames < SD_FRONTEND_MAX_FRAMES) {
        const uint32_t left = n_samples - done;
        done += sd_frontend_push(&frontend, samples + done, left < block ? left : block);
        if (sd_frontend_ready(&frontend)) {
            sd_frontend_frame(&frontend, &scratch, features + n_frames * SD_FRONTEND_N_MFCC);
            n_frames++;
        }
    }
    if (n_frames < SD_FRONTEND_MAX_FRAMES && sd_frontend_finish(&frontend)) {
        sd_frontend_frame(&frontend, &scratch, features + n_frames * SD_FRONTEND_N_MFCC);
        n_frames++;
    }
    return n_frames;
}
