/* libFuzzer target: features must not depend on block size; no sanitizer may report anything.
 * Of words with -DSD_FUZZ_WORD, else of cepstra. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef SD_FUZZ_WORD
#include "word_host.c"
#else
#include "frontend_host.c"
#endif

#define MAX_SAMPLES 8192u
#define N_FEATURES (SD_MODEL_FRONTEND_N_FRAMES * SD_MODEL_FRONTEND_N_FEATURES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* data: one byte of block size, then samples. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int16_t samples[MAX_SAMPLES];
    static int8_t whole[N_FEATURES];
    static int8_t in_blocks[N_FEATURES];
    uint32_t n_samples, n_frames;

    if (size == 0u) {
        return 0;
    }
    n_samples = (uint32_t)((size - 1u) / 2u);
    n_samples = n_samples < MAX_SAMPLES ? n_samples : MAX_SAMPLES;
    memcpy(samples, data + 1, 2u * n_samples);
    n_frames = sd_host_features(samples, n_samples, MAX_SAMPLES, whole);
    if (sd_host_features(samples, n_samples, data[0] + 1u, in_blocks) != n_frames ||
        memcmp(whole, in_blocks, n_frames * SD_MODEL_FRONTEND_N_FEATURES) != 0) {
        abort();
    }
    return 0;
}
