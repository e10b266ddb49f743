/* Mean of each channel over the clip: see sd_operators.h. */
#include "sd_fixed.h"
#include "sd_operators.h"

enum { FLOOR = 4096 /* -FLOOR < value < FLOOR */ };

void sd_mean(const void *parameters, const sd_step *step)
{
    const sd_mean_parameters *mean = parameters;
    const uint32_t n_channels = mean->n_channels;
    const int16_t *values = step->frames[0];
    int32_t *sum = step->state;
    int16_t *output = step->output;

    if (values != 0) {
        for (uint32_t c = 0; c < n_channels; c++) {
            sum[c] += values[c];
        }
    } else { /* floor((2 sum + n) / (2 n)), lifted so that the division is unsigned */
        const uint32_t n = step->step == 0u ? 1u : step->step;
        for (uint32_t c = 0; c < n_channels; c++) {
            const uint32_t lifted = (uint32_t)(sum[c] + (int32_t)(n * FLOOR));
            output[c] = (int16_t)((int32_t)sd_divide(2u * lifted + n, 2u * n) - FLOOR);
        }
    }
}
