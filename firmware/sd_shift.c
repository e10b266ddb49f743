/* Features to the fixed point of an LSTM: see sd_operators.h. */
#include "sd_operators.h"

void sd_shift(const void *parameters, const sd_step *step)
{
    const sd_shift_parameters *shift = parameters;
    const int8_t *features = step->frames[0];
    int16_t *output = step->output;

    for (uint32_t band = 0; band < shift->n_bands; band++) {
        output[band] = (int16_t)(features[band] * (1 << shift->shift[band]));
    }
}
