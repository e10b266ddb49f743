/* What the window of a depthwise convolution sees: for weights of either code. */
#ifndef SD_TAPS_H
#define SD_TAPS_H

#include <stdint.h>

#include "sd_fixed.h"
#include "sd_operators.h"

/* Where the window reads the channels of an output band, tap by tap. */
static SD_UNUSED void sd_find_taps(const sd_depthwise_parameters *depthwise, const sd_step *step,
                                   uint32_t band, const uint8_t **taps)
{
    const sd_window *window = &depthwise->window;
    const int32_t first = (int32_t)(band * window->stride) - window->padding;

    for (uint32_t k = 0; k < window->kernel_frames; k++) {
        const uint8_t *frame = (const uint8_t *)step->frames[k];
        for (int32_t i = first; i < first + window->kernel_bands; i++) {
            const int outside = frame == 0 || i < 0 || i >= window->bands_in;
            *taps++ = outside ? depthwise->zeros : frame + (uint32_t)i * depthwise->n_channels;
        }
    }
}

#endif
