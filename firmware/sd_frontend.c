/* Front-end: from samples to windows, from those to logs of mel bands; see sd_frontend.h. */
#include "sd_frontend.h"

#include "sd_fixed.h"
#include "sd_mel.h"

/* `to` may lie before `from` in one array. Unsigned, since a Cortex-M0 loads int16 in two
 * instructions. */
static SD_NOINLINE void copy(int16_t *to, const int16_t *from, uint32_t n)
{
    uint16_t *output = (uint16_t *)to;
    const uint16_t *input = (const uint16_t *)from;
    for (; n >= 4u; n -= 4u, input += 4, output += 4) {
#if SD_THUMB2
        uint64_t four; /* at any address */
        __builtin_memcpy(&four, input, sizeof four);
        __builtin_memcpy(output, &four, sizeof four);
#else
        output[0] = input[0];
        output[1] = input[1];
        output[2] = input[2];
        output[3] = input[3];
#endif
    }
    while (n-- > 0u) {
        *output++ = *input++;
    }
}

void sd_frontend_reset(sd_frontend *frontend)
{
    uint32_t i;
    for (i = 0; i < SD_FFT_SAMPLES; i++) {
        frontend->samples[i] = 0; /* those after a shorter window are read, times 0 */
    }
    frontend->n_samples = 0;
    frontend->has_framed = 0;
    frontend->level = 0;
}

uint32_t sd_frontend_push(const sd_frontend_spec *spec, sd_frontend *frontend,
                          const int16_t *samples, uint32_t n_samples)
{
    const uint32_t room = (uint32_t)spec->window_length - frontend->n_samples;
    const uint32_t n_taken = n_samples < room ? n_samples : room;
    copy(frontend->samples + frontend->n_samples, samples, n_taken);
    frontend->n_samples = (uint16_t)(frontend->n_samples + n_taken);
    return n_taken;
}

int sd_frontend_ready(const sd_frontend_spec *spec, const sd_frontend *frontend)
{
    return frontend->n_samples == spec->window_length;
}

int sd_frontend_finish(const sd_frontend_spec *spec, sd_frontend *frontend)
{
    int16_t last;
    if (frontend->has_framed != 0u) {
        return 0;
    }
    last = frontend->n_samples > 0u ? frontend->samples[frontend->n_samples - 1u] : 0;
    while (frontend->n_samples < spec->window_length) {
        frontend->samples[frontend->n_samples++] = last;
    }
    return 1;
}

/* Drop the first hop of the window. */
static void move_on(const sd_frontend_spec *spec, sd_frontend *frontend)
{
    const uint32_t n_kept = (uint32_t)spec->window_length - spec->hop_length;
    copy(frontend->samples, frontend->samples + spec->hop_length, n_kept);
    frontend->n_samples = (uint16_t)n_kept;
    frontend->has_framed = 1;
}

void sd_frontend_logs(const sd_frontend_spec *spec, sd_frontend *frontend,
                      sd_complex spectrum[SD_FFT_POINTS], int16_t *logs)
{
    const int32_t exponent =
        sd_fft_power(spec->window, spec->window_length, frontend->samples, spectrum);
    sd_mel_log(spec, spectrum, exponent, logs);
    move_on(spec, frontend);
}
