/* Block-floating real FFT: decimation in time, passes of radix 4, 4, 4 and 2, then the split
 * into the spectrum of the real samples (Sorensen et al. 1987).
 *
 * All values share one exponent. Each pass returns the magnitude bits of its output; the next one
 * shifts its inputs right, rounding, until they leave room for its products: components of 2^16
 * times sines in Q14, two products per sum, stay below 2^31.
 */
#include "sd_fft.h"

#include "sd_fixed.h"
#include "sd_frontend_constants.h"

#define MEAN_BITS 17u  /* of a mean moved to [0, 2^16] */
#define SINE_BITS 14u
#define PASS_BITS 16u  /* components entering a pass with twiddles: at most 2^16 */
#define SPLIT_BITS 15u /* ... and the split */
#define SPLIT_SHIFT 2u /* the split yields the spectrum times 2, kept as times 1/2 */
#define QUARTER_TURN 64u

#if SD_THUMB2
typedef uint64_t __attribute__((may_alias, aligned(4))) two_words;
#endif

/* Turn z by -2 pi angle / 256, given that angle's sine and cosine; >> shift, rounding. */
static inline sd_complex turned(sd_complex z, int32_t cosine, int32_t sine, uint32_t shift)
{
    int32_t half = (int32_t)1 << (shift - 1u);
    sd_complex y;
    SD_OPAQUE(half);
    y.re = half + z.re * cosine;
    SD_OPAQUE(y.re);
    y.im = half + z.im * cosine;
    SD_OPAQUE(y.im);
    y.re = (y.re + z.im * sine) >> shift;
    y.im = (y.im - z.re * sine) >> shift;
    return y;
}

/* Both parts at once where one instruction does it. */
static inline sd_complex load(const sd_complex *from)
{
    sd_complex z;
#if SD_THUMB2
    __asm__("ldrd %0, %1, %2" : "=&r"(z.re), "=&r"(z.im) : "m"(*(const two_words *)from));
#else
    z = *from;
#endif
    return z;
}

static inline void store(sd_complex *to, int32_t re, int32_t im)
{
#if SD_THUMB2
    __asm__("strd %1, %2, %0" : "=m"(*(two_words *)to) : "r"(re), "r"(im));
#else
    to->re = re;
    to->im = im;
#endif
}

static inline sd_complex shifted(sd_complex z, uint32_t shift)
{
    z.re = sd_round_shift(z.re, shift);
    z.im = sd_round_shift(z.im, shift);
    return z;
}

static inline uint32_t bits_of(sd_complex z)
{
    return sd_magnitude_bits(z.re) | sd_magnitude_bits(z.im);
}

/* Right shift that makes a block with these magnitude bits fit `bits`. */
static SD_NOINLINE uint32_t shift_to_fit(uint32_t magnitude_bits, uint32_t bits)
{
    const uint32_t length = sd_bit_length(magnitude_bits);
    return length > bits ? length - bits : 0u;
}

/* One pointer walks from leg to leg: compilers would keep one for each, and run out of registers.
 * For the same reason sums and differences are taken as early as can be. */
static inline sd_complex *step_by(sd_complex *leg, int32_t stride)
{
    leg += stride;
    SD_OPAQUE_LOW(leg);
    return leg;
}

static inline sd_complex plus(sd_complex x, sd_complex y)
{
    x.re += y.re;
    x.im += y.im;
    return x;
}

static inline sd_complex minus(sd_complex x, sd_complex y)
{
    x.re -= y.re;
    x.im -= y.im;
    return x;
}

/* DFT of the four points a, b, c, d, given sum = b + d and dif = b - d; written `stride` apart from
 * *leg on, and moves *leg behind them. Returns the bits of all magnitudes so far. */
static inline uint32_t butterfly4(sd_complex **leg, int32_t stride, sd_complex a, sd_complex sum,
                                  sd_complex c, sd_complex dif, uint32_t bits)
{
    sd_complex *z = *leg;
    sd_complex third;
    int32_t re, im;

    re = a.re + c.re;
    a.re -= c.re;
    third.re = re - sum.re;
    re += sum.re;
    bits |= sd_magnitude_bits(re);
    im = a.im + c.im;
    a.im -= c.im;
    third.im = im - sum.im;
    im += sum.im;
    bits |= sd_magnitude_bits(im);
    store(z, re, im);
    z = step_by(z, stride);
    re = a.re + dif.im;
    bits |= sd_magnitude_bits(re);
    im = a.im - dif.re;
    bits |= sd_magnitude_bits(im);
    store(z, re, im);
    z = step_by(z, stride);
    store(z, third.re, third.im);
    bits |= bits_of(third);
    z = step_by(z, stride);
    re = a.re - dif.im;
    bits |= sd_magnitude_bits(re);
    im = a.im + dif.re;
    bits |= sd_magnitude_bits(im);
    store(z, re, im);
    *leg = step_by(z, stride);
    return bits;
}

/* The mean to subtract from every sample, so that a constant offset (DC) changes no bit: rounded,
 * halves up, as sd_round_shift does. Divides bit by bit, since a Cortex-M0 has no division. */
static int32_t rounded_mean(const int16_t *samples, uint32_t n_samples)
{
    const int32_t lowest = -32768;
    int32_t sum = 0; /* 256 int16: 24 bits */
    uint32_t rest, divisor, mean = 0;
    uint32_t i;
    for (i = 0; i < n_samples; i += 4u) {
        sum += (int32_t)samples[i] + samples[i + 1u] + samples[i + 2u] + samples[i + 3u];
    }
    rest = (uint32_t)(sum - (int32_t)n_samples * lowest) + n_samples / 2u; /* at most 2^24 */
    divisor = n_samples << MEAN_BITS;                                      /* at most 2^25 */
    for (i = 0; i < MEAN_BITS; i++) {
        divisor >>= 1;
        mean <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            mean++;
        }
    }
    return (int32_t)mean + lowest;
}

/* Bit length of the samples minus their mean: at most 16, since no sample is further than 65279
 * from the mean (one of 32767 among 255 of -32768). */
static uint32_t level_of(const int16_t *samples, uint32_t n_samples, int32_t mean)
{
    uint32_t bits = 0;
    uint32_t i;
    for (i = 0; i < n_samples; i += 4u) {
        bits |= sd_magnitude_bits(samples[i] - mean) | sd_magnitude_bits(samples[i + 1u] - mean) |
                sd_magnitude_bits(samples[i + 2u] - mean) |
                sd_magnitude_bits(samples[i + 3u] - mean);
    }
    return shift_to_fit(bits, 0);
}

/* Pair of samples, minus the mean, times its pair of window weights, Q15; >> shift, rounding.
 * 65279 * 2^15 + 2^15 is below 2^31. */
static inline sd_complex windowed(const int16_t *pair, int32_t mean, const uint16_t *weight,
                                  uint32_t shift)
{
    sd_complex z;
    z.re = sd_round_shift((pair[0] - mean) * (int32_t)weight[0], shift);
    z.im = sd_round_shift((pair[1] - mean) * (int32_t)weight[1], shift);
    return z;
}

/* A quarter of the samples further. */
static inline void next_quarter(const int16_t **pair, const uint16_t **weight)
{
    *pair += SD_FFT_SAMPLES / 4u;
    SD_OPAQUE_LOW(*pair);
    *weight += SD_FFT_SAMPLES / 4u;
    SD_OPAQUE_LOW(*weight);
}

/* Mean, window, reorder, and the radix-4 butterflies that need no twiddles. */
static uint32_t first_pass(const uint16_t *window, const int16_t *samples, uint32_t n_samples,
                           int32_t mean, sd_complex *z, uint32_t shift)
{
    uint32_t bits = 0;
    uint32_t group;
    for (group = 0; group < SD_FFT_POINTS / 4u; group++) {
        const uint32_t first = 2u * sd_fft_order[group];
        const int16_t *pair = samples + first;
        const uint16_t *weight = window + first;
        sd_complex a, b, c, sum, dif;
        sd_complex d = {0, 0}; /* what the window leaves of samples beyond its end */
        a = windowed(pair, mean, weight, shift);
        next_quarter(&pair, &weight);
        b = windowed(pair, mean, weight, shift);
        next_quarter(&pair, &weight);
        c = windowed(pair, mean, weight, shift);
        next_quarter(&pair, &weight);
        if (first + SD_FFT_SAMPLES / 4u * 3u < n_samples) {
            d = windowed(pair, mean, weight, shift);
        }
        sum = plus(b, d);
        dif = minus(b, d);
        bits = butterfly4(&z, 1, a, sum, c, dif, bits);
    }
    return bits;
}

/* Join four DFTs of `span` points each into one, in every group of 4 span points.
 * step: between the angles of neighbouring points, 64 / span (no division on a Cortex-M0). */
static SD_ALWAYS_INLINE uint32_t radix4_pass(sd_complex *z, int32_t span, uint32_t step,
                                             uint32_t shift)
{
    const sd_complex *end = z + SD_FFT_POINTS;
    const sd_complex *last = z + span;
    const int16_t *sine_1 = sd_sine, *sine_2 = sd_sine, *sine_3 = sd_sine;
    uint32_t bits = 0;
    for (; z != last; z++) {
        const int32_t sine1 = sine_1[0], cosine1 = sine_1[QUARTER_TURN];
        const int32_t sine2 = sine_2[0], cosine2 = sine_2[QUARTER_TURN];
        const int32_t sine3 = sine_3[0], cosine3 = sine_3[QUARTER_TURN];
        sd_complex *leg = z;
        do {
            sd_complex a, b, c, d, sum, dif;
            leg = step_by(leg, span);
            b = turned(shifted(load(leg), shift), cosine1, sine1, SINE_BITS);
            leg = step_by(leg, 2 * span);
            d = turned(shifted(load(leg), shift), cosine3, sine3, SINE_BITS);
            sum = plus(b, d);
            dif = minus(b, d);
            leg = step_by(leg, -span);
            c = turned(shifted(load(leg), shift), cosine2, sine2, SINE_BITS);
            leg = step_by(leg, -2 * span);
            a = shifted(load(leg), shift);
            bits = butterfly4(&leg, span, a, sum, c, dif, bits);
        } while (leg < end);
        sine_1 += step;
        sine_2 += 2u * step;
        sine_3 += 3u * step;
    }
    return bits;
}

/* Join the last two DFTs, of 64 points each. */
static uint32_t radix2_pass(sd_complex *z, uint32_t shift)
{
    const uint32_t half = SD_FFT_POINTS / 2u;
    uint32_t bits = 0;
    uint32_t j;
    for (j = 0; j < half; j++) {
        const int16_t *sine = sd_sine + 2u * j;
        const sd_complex a = shifted(load(&z[j]), shift);
        const sd_complex b =
            turned(shifted(load(&z[j + half]), shift), sine[QUARTER_TURN], sine[0], SINE_BITS);
        const sd_complex sum = plus(a, b), dif = minus(a, b);
        store(&z[j], sum.re, sum.im);
        store(&z[j + half], dif.re, dif.im);
        bits |= bits_of(sum) | bits_of(dif);
    }
    return bits;
}

/* Spectrum of the real samples from that of their pairs; its power replaces re. */
static void split_power(sd_complex *z, uint32_t shift)
{
    uint32_t k;
    for (k = 1; k <= SD_FFT_POINTS / 2u; k++) {
        sd_complex *mirror = z + (SD_FFT_POINTS - k);
        const sd_complex y = shifted(load(&z[k]), shift);
        const sd_complex x = shifted(load(mirror), shift);
        const sd_complex sum = {y.re + x.re, y.im - x.im};
        const sd_complex difference = {y.im + x.im, x.re - y.re}; /* turned by -j */
        const sd_complex even = shifted(sum, SPLIT_SHIFT);
        const sd_complex odd = turned(difference, sd_sine[k + QUARTER_TURN],
                                      sd_sine[k], SINE_BITS + SPLIT_SHIFT);
        const int32_t sum_re = even.re + odd.re, sum_im = even.im + odd.im;
        const int32_t dif_re = even.re - odd.re, dif_im = even.im - odd.im;
        mirror->re = dif_re * dif_re + dif_im * dif_im;
        z[k].re = sum_re * sum_re + sum_im * sum_im;
    }
}

int32_t sd_fft_power(const uint16_t window[SD_FFT_SAMPLES], uint32_t n_samples,
                     const int16_t samples[SD_FFT_SAMPLES], sd_complex spectrum[SD_FFT_POINTS])
{
    const int32_t mean = rounded_mean(samples, n_samples);
    /* weights are Q15: this leaves 15 bits and a sign */
    uint32_t shift = level_of(samples, n_samples, mean);
    int32_t exponent = (int32_t)shift - 15;
    uint32_t bits = first_pass(window, samples, n_samples, mean, spectrum, shift);

    shift = shift_to_fit(bits, PASS_BITS);
    exponent += (int32_t)shift;
    bits = radix4_pass(spectrum, 4, 16, shift);

    shift = shift_to_fit(bits, PASS_BITS);
    exponent += (int32_t)shift;
    bits = radix4_pass(spectrum, 16, 4, shift);

    shift = shift_to_fit(bits, PASS_BITS);
    exponent += (int32_t)shift;
    bits = radix2_pass(spectrum, shift);

    shift = shift_to_fit(bits, SPLIT_BITS);
    exponent += (int32_t)shift;
    split_power(spectrum, shift);
    return exponent;
}
