/* Where a word begins and ends: see sd_endpoint.h. */
#include "sd_endpoint.h"

#include "sd_mel.h"

#define FLOOR_SHIFT 4u /* from levels in Q8 to the floor's Q12 */
#define RATE_BITS 12u

void sd_endpoint_reset(sd_endpoint *endpoint)
{
    endpoint->n_frames = 0;
    endpoint->start = 0;
    endpoint->end = 0;
    endpoint->floor = 0;
    endpoint->peak = 0;
    endpoint->loud = 0;
    endpoint->quiet = 0;
    endpoint->state = SD_WAITING;
}

/* |sum| <= 2^10 2^15, sum of squares <= 2^10 2^30: their products with 2^10 are
 * below 2^51. */
int32_t sd_endpoint_level(const int16_t *samples, uint32_t n_samples)
{
    const int16_t *end = samples + (n_samples & ~1u);
    uint64_t squares = 0, spread;
    int32_t sum = 0;
    while (samples != end) {
        const int32_t a = *samples++, b = *samples++;
        sum += a + b;
        squares += (uint32_t)(a * a) + (uint32_t)(b * b); /* at most 2^31 */
    }
    if ((n_samples & 1u) != 0u) {
        const int32_t a = *samples;
        sum += a;
        squares += (uint32_t)(a * a);
    }
    spread = squares * n_samples - (uint64_t)((int64_t)sum * sum);
    return spread == 0u ? 0 : sd_log2_of(spread);
}

/* Move the floor: quickly down, slowly up, and hardly at all during loud sound.
 * Levels are below 2^14, so a distance is within 2^18 and its product within
 * 2^30. */
static void adapt(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level, int is_loud)
{
    const int32_t distance = level * (1 << FLOOR_SHIFT) - endpoint->floor;
    if (distance < 0) {
        endpoint->floor += (distance * spec->fall) >> RATE_BITS;
    } else if (is_loud) {
        endpoint->floor += distance < spec->creep ? distance : spec->creep;
    } else {
        endpoint->floor += (distance * spec->rise) >> RATE_BITS;
    }
}

static sd_change wait(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level,
                      int is_loud)
{
    const uint32_t before = (uint32_t)spec->onset_frames + spec->pre_roll;
    adapt(spec, endpoint, level, is_loud);
    if (!is_loud) {
        endpoint->loud = 0;
        return SD_NO_CHANGE;
    }
    if (endpoint->loud == 0u || level > endpoint->peak) {
        endpoint->peak = level;
    }
    endpoint->loud++;
    if (endpoint->loud < spec->onset_frames) {
        return SD_NO_CHANGE;
    }
    endpoint->start = endpoint->n_frames > before ? endpoint->n_frames - before : 0u;
    if (endpoint->start < endpoint->end) {
        endpoint->start = endpoint->end;
    }
    endpoint->end = endpoint->n_frames;
    endpoint->quiet = 0;
    endpoint->state = SD_IN_WORD;
    return SD_BEGAN;
}

static sd_change follow(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level,
                        int is_loud)
{
    sd_change change;
    adapt(spec, endpoint, level, 1);
    if (is_loud) {
        endpoint->loud = (uint16_t)(endpoint->loud + endpoint->quiet + 1u); /* below 2^16 + 1 */
        endpoint->quiet = 0;
        endpoint->end = endpoint->n_frames;
        if (endpoint->loud <= spec->longest) {
            return SD_NO_CHANGE;
        }
        endpoint->state = SD_OVERLONG;
        endpoint->loud = 0;
        return SD_IS_TOO_LONG;
    }
    endpoint->quiet++;
    if (endpoint->quiet <= spec->post_roll) {
        endpoint->end = endpoint->n_frames;
    }
    if (endpoint->quiet < spec->hangover) {
        return SD_NO_CHANGE;
    }
    change = endpoint->loud >= spec->shortest ? SD_ENDED : SD_WAS_TOO_SHORT;
    endpoint->state = SD_WAITING;
    endpoint->loud = 0;
    return change;
}

static void wear_off(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level,
                     int is_loud)
{
    adapt(spec, endpoint, level, 0);
    endpoint->end = endpoint->n_frames;
    endpoint->quiet = (uint16_t)(is_loud ? 0u : endpoint->quiet + 1u);
    if (endpoint->quiet == spec->hangover) {
        endpoint->state = SD_WAITING;
    }
}

sd_change sd_endpoint_step(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level)
{
    int32_t above;
    int is_loud;
    if (endpoint->n_frames == 0u) {
        endpoint->floor = level * (1 << FLOOR_SHIFT);
    }
    endpoint->n_frames++;
    above = level - (endpoint->floor >> FLOOR_SHIFT);
    if (endpoint->state == SD_WAITING) {
        return wait(spec, endpoint, level, above >= spec->onset && level >= spec->quietest);
    }
    if (level > endpoint->peak) {
        endpoint->peak = level;
    }
    is_loud = above >= spec->offset && level >= spec->quietest;
    if (endpoint->state == SD_OVERLONG) {
        wear_off(spec, endpoint, level, is_loud);
        return SD_NO_CHANGE;
    }
    return follow(spec, endpoint, level, is_loud && level >= endpoint->peak - spec->drop);
}
