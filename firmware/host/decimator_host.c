/* The decimator for Python, on this machine. */
#include "sd_decimator.h"

uint32_t sd_host_decimate(const int16_t *samples, uint32_t n_samples, uint32_t block_samples,
                          int16_t *output);

/* Pushes block_samples at a time; returns how many samples were written to output. */
uint32_t sd_host_decimate(const int16_t *samples, uint32_t n_samples, uint32_t block_samples,
                          int16_t *output)
{
    sd_decimator decimator;
    uint32_t n_written = 0;

    sd_decimator_reset(&decimator);
    while (n_samples > 0u) {
        const uint32_t n = n_samples < block_samples ? n_samples : block_samples;
        n_written += sd_decimator_push(&decimator, samples, n, output + n_written);
        samples += n;
        n_samples -= n;
    }
    return n_written;
}
