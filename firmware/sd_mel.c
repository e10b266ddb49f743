/* Triangular mel bands and their logarithms, in integers. */
#include "sd_mel.h"

#include "sd_fixed.h"

#define WEIGHT_BITS 8u /* mel weights are Q8, below 256 */
#define INTERVAL_BITS 5u

/* A sum below 2^48: high 2^16 + low; additions do not carry from low to high. */
typedef struct {
    uint32_t high;
    uint32_t low;
} wide;

/* log2(x), Q8, of x > 0. */
static int32_t log2_q8(wide x)
{
    const int is_coarse = x.high >= ((uint32_t)1 << 15);
    uint32_t mantissa = is_coarse ? x.high : (x.high << 16) | x.low;
    const uint32_t length = sd_bit_length(mantissa);
    const uint32_t exponent = length - 1u + (is_coarse ? 16u : 0u);
    const uint16_t *table;
    uint32_t step, fraction;

    mantissa <<= 32u - length; /* highest bit at position 31 */
    table = sd_frontend_log_fraction + ((mantissa >> (31u - INTERVAL_BITS)) & 31u);
    step = (mantissa >> (15u - INTERVAL_BITS)) & 0xFFFFu;
    fraction = table[0] + (((uint32_t)(table[1] - table[0]) * step) >> 16); /* Q15 */
    return sd_round_shift((int32_t)((exponent << 15) + fraction), 7);
}

static int16_t log_above_floor(wide energy, int32_t exponent)
{
    int32_t log;
    energy.high += energy.low >> 16;
    energy.low &= 0xFFFFu;
    if ((energy.high | energy.low) == 0u) {
        return 0;
    }
    log = log2_q8(energy) + exponent * 512 - SD_FRONTEND_FLOOR;
    return (int16_t)(log > 0 ? log : 0);
}

/* Powers of the bins [bin, end): their sum times 256, and their sum with the weights of the rising
 * band. The difference of the two belongs to the falling band, the one before. */
static void segment_sums(const sd_complex *spectrum, uint32_t bin, uint32_t end, wide *whole,
                         wide *rising)
{
    uint32_t whole_high = 0, whole_low = 0, rising_high = 0, rising_low = 0;
    for (; bin < end; bin++) {
        const uint32_t power = (uint32_t)spectrum[bin].re;
        const uint32_t weight = sd_frontend_mel_rising[bin];
        const uint32_t high = power >> 16, low = power & 0xFFFFu;
        whole_high += high;
        whole_low += low;
        rising_high += high * weight;
        rising_low += low * weight;
    }
    whole->high = whole_high << WEIGHT_BITS;
    whole->low = whole_low << WEIGHT_BITS;
    rising->high = rising_high;
    rising->low = rising_low;
}

void sd_mel_log(const sd_complex spectrum[SD_FFT_POINTS], int32_t exponent,
                int16_t logs[SD_FRONTEND_N_MELS])
{
    wide before = {0, 0}; /* rising part, in the segment before, of the band that now falls */
    uint32_t segment;
    for (segment = 0; segment <= SD_FRONTEND_N_MELS; segment++) {
        wide whole, rising;
        segment_sums(spectrum, sd_frontend_mel_edges[segment],
                     sd_frontend_mel_edges[segment + 1u], &whole, &rising);
        if (segment > 0u) {
            const wide band = {before.high + whole.high - rising.high,
                               before.low + whole.low - rising.low};
            logs[segment - 1u] = log_above_floor(band, exponent);
        }
        before = rising;
    }
}
