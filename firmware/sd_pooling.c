/* Maximum and mean of each channel over the clip: see sd_operators.h. */
#include "sd_fixed.h"
#include "sd_operators.h"

enum { FRACTION_BITS = 6 };

static void add(const uint8_t *values, uint32_t n, uint32_t *sum, uint8_t *most)
{
    for (uint32_t c = 0; c < n; c++) {
        sum[c] += values[c];
        if (values[c] > most[c]) {
            most[c] = values[c];
        }
    }
}

void sd_pooling(const void *parameters, const sd_step *step)
{
    const sd_pooling_parameters *pooling = parameters;
    const uint32_t n_channels = pooling->n_channels;
    const uint8_t *values = step->frames[0];
    uint32_t *sum = step->state;
    uint8_t *most = (uint8_t *)(sum + n_channels);
    int16_t *output = step->output;

    if (step->step == 0u) {
        for (uint32_t c = 0; c < n_channels; c++) {
            sum[c] = 0;
            most[c] = 0;
        }
    }
    if (values != 0) {
        for (uint32_t band = 0; band < pooling->n_bands; band++, values += n_channels) {
            add(values, n_channels, sum, most);
        }
    } else {
        const uint32_t n = (uint32_t)step->step * pooling->n_bands;
        for (uint32_t c = 0; c < n_channels; c++) {
            output[c] = (int16_t)(most[c] << FRACTION_BITS);
            output[n_channels + c] =
                (int16_t)sd_divide(2u * (sum[c] << FRACTION_BITS) + n, 2u * n);
        }
    }
}
