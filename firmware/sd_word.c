/* Last step of the front-end: the loudest stretch of a clip, relative to its level: sd_word.h. */
#include "sd_word.h"

#include "sd_fixed.h"
#include "sd_mel.h"
#include "sd_octaves.h"
#include "sd_word_constants.h"

#define SOFTPLUS_STEP_BITS 5u
#define SOFTPLUS_END ((int32_t)(SD_SOFTPLUS_ENTRIES - 1) << SOFTPLUS_STEP_BITS)
#define GAIN_SHIFT 18u
#define N_SUMS 5u

void sd_word_reset(sd_word *word)
{
    word->sum = 0;
    word->loudest = 0;
    word->level = 0;
    word->n_valid = 0;
    word->next = 0;
    word->first_row = 0;
    word->age = 0;
}

/* Sum of 2^log over at most 127 bands. All logs are below 51 * 256. */
static uint64_t energy_of(const int16_t *logs, uint32_t n_mels)
{
    uint32_t sums[N_SUMS]; /* of 2^0, 2^8, 2^16, ...: each below 127 * 2^16 * 2^7 */
    const int16_t *end = logs + n_mels;
    uint64_t energy = 0;
    uint32_t i;
    sums[0] = sums[1] = sums[2] = sums[3] = sums[4] = 0;
    for (; logs != end; logs++) {
        const int32_t log = *logs;
        if (log >= 16 * 256) {
            const uint32_t left = (uint32_t)log - 15u * 256u; /* octaves, Q8 */
            sums[left >> 11] += sd_exp2_mantissa((uint32_t)log) << ((left >> 8) & 7u);
        } else if (log > 0) {
            sums[0] += sd_exp2_q8((uint32_t)log);
        }
    }
    for (i = N_SUMS; i-- > 0u;) {
        energy = (energy << 8) + sums[i];
    }
    return energy;
}

/* log2(1 + 2^-x), Q8, of x >= 0 in Q8. */
static int32_t softplus(int32_t x)
{
    const int32_t inside = x < SOFTPLUS_END ? x : SOFTPLUS_END - 1;
    const uint16_t *table = sd_softplus + (inside >> SOFTPLUS_STEP_BITS);
    const int32_t step = inside & ((1 << SOFTPLUS_STEP_BITS) - 1);
    const int32_t fall = (int32_t)table[0] - table[1];
    return table[0] - sd_round_shift(fall * step, SOFTPLUS_STEP_BITS);
}

/* log2 of the mean energy of the word's bands, Q8; 0 in silence. */
static int32_t level_of(const sd_word *word, uint32_t n_mels)
{
    return word->loudest == 0u
               ? 0
               : sd_log2_of(word->loudest) - sd_log2_of((uint32_t)word->n_valid * (uint32_t)n_mels);
}

/* Turn one frame's logs in `recent` into features in the same row of `kept`. The word's level is
 * known: a frame that changes it begins another word. */
static void keep(const sd_frontend_spec *spec, const sd_word *word, uint32_t row)
{
    const uint32_t n_mels = spec->n_mels;
    const int32_t depth = spec->word->floor_depth, gain = spec->word->gain;
    const int32_t floor = word->level - depth;
    const int8_t silence = spec->word->silence;
    const int16_t *logs = word->recent + row * n_mels;
    const int16_t *end = logs + n_mels;
    int8_t *features = word->kept + row * n_mels;
    for (; logs != end; logs++) {
        int8_t feature = silence;
        if (*logs != 0) {
            const int32_t above = *logs - floor;
            const int32_t octaves = above > 0 ? above + softplus(above) : softplus(-above);
            feature = (int8_t)sd_saturate8(sd_round_shift((octaves - depth) * gain, GAIN_SHIFT));
        }
        *features++ = feature;
    }
}

void sd_word_push(const sd_frontend_spec *spec, sd_word *word, sd_frontend *frontend,
                  sd_complex spectrum[SD_FFT_POINTS])
{
    const uint32_t n_mels = spec->n_mels;
    const uint32_t row = word->next;
    const int is_full = word->n_valid == spec->n_frames;
    int16_t *logs = word->recent + row * n_mels;

    if (is_full) {
        word->sum -= energy_of(logs, n_mels); /* the oldest goes: keep it if the word needs it */
        if (word->age == 0u) {
            word->level = level_of(word, n_mels);
        }
        if (word->age < spec->n_frames) {
            keep(spec, word, row);
            word->age++;
        }
    } else {
        word->n_valid++;
    }
    sd_frontend_logs(spec, frontend, spectrum, logs);
    word->sum += energy_of(logs, n_mels);
    word->next = (uint16_t)(row + 1u < spec->n_frames ? row + 1u : 0u);
    if (!is_full || word->sum > word->loudest) {
        word->loudest = word->sum;
        word->first_row = (uint16_t)(word->n_valid == spec->n_frames ? word->next : 0u);
        word->age = 0;
    }
}

/* Row of frame i of the word, i < n_frames. */
static uint32_t row_of(const sd_frontend_spec *spec, const sd_word *word, uint32_t i)
{
    const uint32_t row = word->first_row + i;
    return row < spec->n_frames ? row : row - spec->n_frames;
}

uint16_t sd_word_finish(const sd_frontend_spec *spec, sd_word *word)
{
    uint32_t i;
    word->level = level_of(word, spec->n_mels);
    for (i = word->age; i < word->n_valid; i++) {
        keep(spec, word, row_of(spec, word, i));
    }
    word->age = word->n_valid; /* all is kept */
    return word->n_valid;
}

void sd_word_frame(const sd_frontend_spec *spec, const sd_word *word, uint32_t i, int8_t *features)
{
    const uint32_t start = ((uint32_t)spec->n_frames - word->n_valid) / 2u;
    const int is_silent = i < start || i - start >= word->n_valid;
    const uint32_t row = is_silent ? 0u : row_of(spec, word, i - start);
    const int8_t *kept = word->kept + row * spec->n_mels;
    uint32_t m;
    for (m = 0; m < spec->n_mels; m++) {
        features[m] = is_silent ? spec->word->silence : kept[m];
    }
}
