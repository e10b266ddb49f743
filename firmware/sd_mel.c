/* Triangular mel bands and their logarithms, in integers. */
#include "sd_mel.h"

#include "sd_fixed.h"
#include "sd_frontend_constants.h"

#define WEIGHT_BITS 8u /* mel weights are Q8, below 256 */
#define INTERVAL_BITS 5u

/* Whether 32 bits times 32 give 64 in one instruction. */
#if SD_THUMB2 || (UINTPTR_MAX > 0xFFFFFFFFu && !defined(SD_PORTABLE))
#define LONG_PRODUCTS 1
#else
#define LONG_PRODUCTS 0
#endif

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

/* Energies below 2^48, and the most significant bits of one: all of it, or all but the lowest 16. */
#if LONG_PRODUCTS
typedef uint64_t wide;

static inline int is_coarse(wide x)
{
    return (uint32_t)(x >> 16) >= (uint32_t)1 << 15;
}

static inline uint32_t mantissa_of(wide x)
{
    return is_coarse(x) ? (uint32_t)(x >> 16) : (uint32_t)x;
}

static inline wide sum_of(wide before, wide whole, wide rising)
{
    return before + whole - rising;
}
#else
typedef struct {
    uint32_t high;
    uint32_t low;
} wide;

static inline int is_coarse(wide x)
{
    return x.high >= ((uint32_t)1 << 15);
}

static inline uint32_t mantissa_of(wide x)
{
    return is_coarse(x) ? x.high : (x.high << 16) | x.low;
}

static inline wide sum_of(wide before, wide whole, wide rising)
{
    const uint32_t low = before.low + whole.low - rising.low;
    const wide x = {before.high + whole.high - rising.high + (low >> 16), low & 0xFFFFu};
    return x;
}
#endif

static inline int16_t log_above_floor(wide energy, int32_t exponent, int32_t floor)
{
    const uint32_t mantissa = mantissa_of(energy);
    const uint32_t shift = 32u - sd_bit_length(mantissa);
    int32_t log;
    if (mantissa == 0u) {
        return 0;
    }
    exponent = 2 * exponent + (is_coarse(energy) ? 16 : 0) - (int32_t)shift;
    log = log2_q8(mantissa << shift, exponent) - floor;
    return (int16_t)(log > 0 ? log : 0);
}

/* Powers of the bins [bin, end): their sum times 256, and their sum with the weights of the rising
 * band. The difference of the two belongs to the falling band, the one before. */
#if LONG_PRODUCTS
static void segment_sums(const sd_complex *spectrum, const uint8_t *mel_rising, uint32_t bin,
                         uint32_t end, wide *whole, wide *rising)
{
    uint64_t all = 0, weighted = 0;
    for (; bin < end; bin++) {
        const uint32_t power = (uint32_t)spectrum[bin].re;
        all += power;
        weighted += (uint64_t)power * mel_rising[bin];
    }
    *whole = all << WEIGHT_BITS;
    *rising = weighted;
}
#else
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
#endif

void sd_mel_log(const sd_frontend_spec *spec, const sd_complex spectrum[SD_FFT_POINTS],
                int32_t exponent, int16_t *logs)
{
    const uint8_t *edge = spec->mel_edges;
    const int16_t *floor = spec->mel_floor;
    const int16_t *end = logs + spec->n_mels;
    wide before, whole; /* before: rising part, in the segment before, of the band that now falls */
    segment_sums(spectrum, spec->mel_rising, edge[0], edge[1], &whole, &before);
    for (edge++; logs < end; edge++) {
        wide rising;
        segment_sums(spectrum, spec->mel_rising, edge[0], edge[1], &whole, &rising);
        *logs++ = log_above_floor(sum_of(before, whole, rising), exponent, *floor++);
        before = rising;
    }
}
