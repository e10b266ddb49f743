/* Last step of the front-end: level tracker and cosine transform; see sd_frontend.h. */
#include "sd_fixed.h"
#include "sd_frontend.h"

#define COEFFICIENT_SHIFT 16u

/* Cosine rows are symmetric or antisymmetric about the middle: the first half becomes the sums
 * of mirrored bands, the second half their differences. */
static void fold(int16_t *logs, uint32_t n_mels)
{
    int16_t *first = logs, *last = logs + n_mels - 1;
    for (; first < last; first++, last--) {
        const int32_t low = *first, high = *last;
        *first = (int16_t)(high + low);
        *last = (int16_t)(high - low);
    }
}

/* Loudness relative to a running maximum that decays slowly: at most 0. */
static int32_t relative_level(const sd_cepstrum_spec *spec, sd_frontend *frontend,
                              const int16_t *sums, uint32_t n_sums)
{
    int32_t loudness = 0;
    uint32_t m;
    for (m = 0; m < n_sums; m++) {
        loudness += sums[m];
    }
    frontend->level -= spec->level_decay;
    if (frontend->level < loudness) {
        frontend->level = loudness;
    }
    return loudness - frontend->level;
}

void sd_frontend_frame(const sd_frontend_spec *spec, sd_frontend *frontend,
                       sd_frontend_scratch *scratch, int8_t *features)
{
    const sd_cepstrum_spec *cepstrum = spec->cepstrum;
    const uint32_t half = spec->n_mels / 2u;
    const int16_t *row = cepstrum->cosine;
    int16_t *logs = scratch->logs;
    uint32_t k, m;

    sd_frontend_logs(spec, frontend, scratch->spectrum, logs);
    fold(logs, spec->n_mels);
    for (k = 0; k < cepstrum->n_mfcc; k++) {
        int32_t sum = 0;
        if (k == 0u) {
            sum = cepstrum->level_gain * relative_level(cepstrum, frontend, logs, half) +
                  cepstrum->level_offset * ((int32_t)1 << COEFFICIENT_SHIFT);
        } else {
            const int16_t *folded = logs + half * (k & 1u);
            for (m = 0; m < half; m++) {
                sum += (int32_t)folded[m] * *row++;
            }
        }
        features[k] = (int8_t)sd_saturate8(sd_round_shift(sum, COEFFICIENT_SHIFT));
    }
}
