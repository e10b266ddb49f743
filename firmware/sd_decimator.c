/* Half-band filter and every second sample: see sd_decimator.h. */
#include "sd_decimator.h"

#include "sd_fixed.h"

enum { TAP_BITS = 15 };

/* Every second tap from the first to the middle, Q15; mirrored on the other side. The middle tap
 * is one half; the others are zero. The sum of all is one, that of their magnitudes below two: no
 * sum leaves int32. */
static const int32_t side[SD_DECIMATOR_EVEN / 2] = {-15,  40,  -81,   144,  -235,  364,
                                                    -546, 807, -1200, 1870, -3344, 10388};

static void begin(sd_decimator *d, int16_t sample)
{
    for (uint32_t i = 0; i < 2u * SD_DECIMATOR_EVEN; i++) {
        d->even[i] = sample;
    }
    for (uint32_t i = 0; i < SD_DECIMATOR_ODD; i++) {
        d->odd[i] = sample;
    }
    d->has_begun = 1;
}

/* even: the samples under the filter, from the oldest on; middle: the odd one in their middle. */
static int16_t filtered(const int32_t *even, int32_t middle)
{
    const int32_t *late = even + SD_DECIMATOR_EVEN;
    const int32_t *tap = side;
    int32_t sum = middle * ((int32_t)1 << (TAP_BITS - 1));

    do {
        late -= 4;
        sum += tap[0] * (even[0] + late[3]);
        sum += tap[1] * (even[1] + late[2]);
        sum += tap[2] * (even[2] + late[1]);
        sum += tap[3] * (even[3] + late[0]);
        tap += 4;
        even += 4;
    } while (even != late);
    return (int16_t)sd_saturate16(sd_round_shift(sum, TAP_BITS));
}

void sd_decimator_reset(sd_decimator *decimator)
{
    decimator->even_at = 0;
    decimator->odd_at = 0;
    decimator->is_odd = 0;
    decimator->has_begun = 0;
}

uint32_t sd_decimator_push(sd_decimator *decimator, const int16_t *samples, uint32_t n_samples,
                           int16_t *output)
{
    const int16_t *end = samples + n_samples;
    const int16_t *start = output;
    uint32_t even_at = decimator->even_at;
    uint32_t odd_at = decimator->odd_at;

    if (n_samples == 0u) {
        return 0;
    }
    if (!decimator->has_begun) {
        begin(decimator, *samples);
    }
    for (uint32_t is_odd = decimator->is_odd; samples != end; is_odd = 0) {
        if (!is_odd) {
            decimator->even[even_at] = *samples;
            decimator->even[even_at + SD_DECIMATOR_EVEN] = *samples++;
            even_at = even_at == SD_DECIMATOR_EVEN - 1u ? 0u : even_at + 1u;
            *output++ = filtered(&decimator->even[even_at], decimator->odd[odd_at]);
        }
        if (samples != end) {
            decimator->odd[odd_at] = *samples++;
            odd_at = odd_at == SD_DECIMATOR_ODD - 1u ? 0u : odd_at + 1u;
        }
    }
    decimator->is_odd ^= n_samples % 2u;
    decimator->even_at = (uint8_t)even_at;
    decimator->odd_at = (uint8_t)odd_at;
    return (uint32_t)(output - start);
}
