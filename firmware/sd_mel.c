/* Triangular mel bands and their logarithms, in integers. */
#include "sd_mel.h"

#include "sd_fixed.h"
#include "sd_frontend_constants.h"

#define WEIGHT_BITS 8u /* mel weights are Q8, below 256 */
#define INTERVAL_BITS 5u

/* A sum below 2^48: high 2^16 + low; additions do not carry from low to high. */
typedef struct {
    uint32_t high;
    uint32_t low;
} wide;

static inline int32_t log2_q8(uint32_t mantissa, int32_t exponent)
{
    const uint16_t *table = sd_log2_fraction + ((mantissa >> (31u - INTERVAL_BITS)) & 31u);
    const uint32_t step = (mantissa >> (15u - INTERVAL_BITS)) & 0xFFFFu;
    const uint32_t rise = (((uint32_t)table[1] - table[0]) * step) >> 16;
    const int32_t fraction = (int32_t)(table[0] + rise); /* Q15 */
    return (exponent + 31) * 256 + sd_round_shift(fraction, 7);
}

int32_t sd_log2_of(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32), low = (uint32_t)x;
    const uint32_t zeros = 32u - sd_bit_length(high != 0u ? high : low);
    uint32_t mantissa = (high != 0u ? high : low) << zeros;
    if (high != 0u && zeros > 0u) {
        mantissa |= low >> (32u - zeros);
    }
    return log2_q8(mantissa, (high != 0u ? 32 : 0) - (int32_t)zeros);
}

/* log2(x), Q8, of x > 0: uses at most 32 significant bits. */
static int32_t log2_of_wide(wide x)
{
    const int is_coarse = x.high >= ((uint32_t)1 << 15);
    const uint32_t mantissa = is_coarse ? x.high : (x.high << 16) | x.low;
    const uint32_t shift = 32u - sd_bit_length(mantissa);
    return log2_q8(mantissa << shift, (is_coarse ? 16 : 0) - (int32_t)shift);
}

static inline int16_t log_above_floor(wide energy, int32_t exponent, int32_t floor)
{
    int32_t log;
    energy.high += energy.low >> 16;
    energy.low &= 0xFFFFu;
    if ((energy.high | energy.low) == 0u) {
        return 0;
    }
    log = log2_of_wide(energy) + exponent * 512 - floor;
    return (int16_t)(log > 0 ? log : 0);
}

/* Powers of the bins [bin, end): their sum times 256, and their sum with the weights of the rising
 * band. The difference of the two belongs to the falling band, the one before. */
static void segment_sums(const sd_complex *spectrum, const uint8_t *mel_rising, uint32_t bin,
                         uint32_t end, wide *whole, wide *rising)
{
    uint32_t whole_high = 0, whole_low = 0, rising_high = 0, rising_low = 0;
    for (; bin < end; bin++) {
        const uint32_t power = (uint32_t)spectrum[bin].re;
        const uint32_t weight = mel_rising[bin];
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

void sd_mel_log(const sd_frontend_spec *spec, const sd_complex spectrum[SD_FFT_POINTS],
                int32_t exponent, int16_t *logs)
{
    const uint8_t *edge = spec->mel_edges;
    const int16_t *floor = spec->mel_floor;
    const int16_t *end = logs + spec->n_mels;
    wide before, whole; /* before: rising part, in the segment before, of the band that now falls */
    segment_sums(spectrum, spec->mel_rising, edge[0], edge[1], &whole, &before);
    for (edge++; logs < end; edge++) {
        wide rising, band;
        segment_sums(spectrum, spec->mel_rising, edge[0], edge[1], &whole, &rising);
        band.high = before.high + whole.high - rising.high;
        band.low = before.low + whole.low - rising.low;
        *logs++ = log_above_floor(band, exponent, *floor++);
        before = rising;
    }
}
