/* Front-end: buffering, level tracker and cosine transform; see sd_frontend.h. */
#include "sd_frontend.h"

#include "sd_fixed.h"
#include "sd_mel.h"

#define HALF (SD_FRONTEND_N_MELS / 2u)
#define COEFFICIENT_SHIFT 16u

void sd_frontend_reset(sd_frontend *frontend)
{
    frontend->n_samples = 0;
    frontend->has_framed = 0;
    frontend->level = 0;
}

uint32_t sd_frontend_push(sd_frontend *frontend, const int16_t *samples, uint32_t n_samples)
{
    const uint32_t room = SD_FFT_SAMPLES - frontend->n_samples;
    const uint32_t n_taken = n_samples < room ? n_samples : room;
    int16_t *to = frontend->samples + frontend->n_samples;
    uint32_t i;
    for (i = 0; i < n_taken; i++) {
        to[i] = samples[i];
    }
    frontend->n_samples = (uint16_t)(frontend->n_samples + n_taken);
    return n_taken;
}

int sd_frontend_ready(const sd_frontend *frontend)
{
    return frontend->n_samples == SD_FFT_SAMPLES;
}

int sd_frontend_finish(sd_frontend *frontend)
{
    int16_t last;
    if (frontend->has_framed != 0u) {
        return 0;
    }
    last = frontend->n_samples > 0u ? frontend->samples[frontend->n_samples - 1u] : 0;
    while (frontend->n_samples < SD_FFT_SAMPLES) {
        frontend->samples[frontend->n_samples++] = last;
    }
    return 1;
}

/* Drop the first hop of the window. */
static void move_on(sd_frontend *frontend)
{
    uint32_t i;
    for (i = SD_FRONTEND_HOP_LENGTH; i < SD_FFT_SAMPLES; i++) {
        frontend->samples[i - SD_FRONTEND_HOP_LENGTH] = frontend->samples[i];
    }
    frontend->n_samples = (uint16_t)(SD_FFT_SAMPLES - SD_FRONTEND_HOP_LENGTH);
    frontend->has_framed = 1;
}

/* Cosine rows are symmetric or antisymmetric about the middle: the first half becomes the sums
 * of mirrored bands, the second half their differences. */
static void fold(int16_t logs[SD_FRONTEND_N_MELS])
{
    uint32_t m;
    for (m = 0; m < HALF; m++) {
        const int32_t low = logs[m], high = logs[SD_FRONTEND_N_MELS - 1u - m];
        logs[m] = (int16_t)(high + low);
        logs[SD_FRONTEND_N_MELS - 1u - m] = (int16_t)(high - low);
    }
}

/* Loudness relative to a running maximum that decays slowly: at most 0. */
static int32_t relative_level(sd_frontend *frontend, const int16_t sums[HALF])
{
    int32_t loudness = 0;
    uint32_t m;
    for (m = 0; m < HALF; m++) {
        loudness += sums[m];
    }
    frontend->level -= SD_FRONTEND_LEVEL_DECAY;
    if (frontend->level < loudness) {
        frontend->level = loudness;
    }
    return loudness - frontend->level;
}

void sd_frontend_frame(sd_frontend *frontend, sd_frontend_scratch *scratch,
                       int8_t features[SD_FRONTEND_N_MFCC])
{
    const int16_t *row = sd_frontend_cosine;
    int16_t *logs = scratch->logs;
    uint32_t k, m;

    sd_mel_log(scratch->spectrum, sd_fft_power(frontend->samples, scratch->spectrum), logs);
    move_on(frontend);
    fold(logs);
    for (k = 0; k < SD_FRONTEND_N_MFCC; k++) {
        int32_t sum = 0;
        if (k == 0u) {
            sum = SD_FRONTEND_LEVEL_GAIN * relative_level(frontend, logs) +
                  SD_FRONTEND_LEVEL_OFFSET * ((int32_t)1 << COEFFICIENT_SHIFT);
        } else {
            const int16_t *folded = logs + HALF * (k & 1u);
            for (m = 0; m < HALF; m++) {
                sum += folded[m] * *row++;
            }
        }
        features[k] = (int8_t)sd_saturate8(sd_round_shift(sum, COEFFICIENT_SHIFT));
    }
}
