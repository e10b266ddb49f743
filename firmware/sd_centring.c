/* Features minus the mean that the network expects: see sd_operators.h. */
#include "sd_fixed.h"
#include "sd_operators.h"

enum { FRACTION_BITS = 3 };

/* Features minus means fit 16 bits too: spoken_digits/integer/operators/centring.py sees to it. */
SD_STATIC_ASSERT((128L << FRACTION_BITS) <= 32767, a_feature_fits_16_bits);

void sd_centring(const void *parameters, const sd_step *step)
{
    const sd_centring_parameters *centring = parameters;
    const int8_t *features = step->frames[0];
    int16_t *output = step->output;

    for (uint32_t band = 0; band < centring->n_bands; band++) {
        output[band] = (int16_t)(features[band] * (1 << FRACTION_BITS) - centring->mean[band]);
    }
}
