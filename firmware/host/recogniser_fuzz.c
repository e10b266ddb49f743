/* libFuzzer target for the model that model.h names: what a recogniser answers must not depend on
 * the sizes of the blocks that it hears, nor on what it heard before; no sanitizer may report
 * anything. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { MAX_BLOCKS = 16, MAX_SAMPLES = 16384 };

static sd_recogniser whole, in_blocks;
static MODEL_MEMORY whole_memory, block_memory;

typedef struct {
    sd_status status;
    uint16_t word;
    int32_t logits[MODEL_N_CLASSES];
} answer;

static void hear(sd_recogniser *recogniser, const int16_t *samples, uint32_t n_samples,
                 const uint8_t *blocks, uint32_t n_blocks, answer *found)
{
    uint32_t done = 0, i = 0, n_idle = 0;

    memset(found, 0, sizeof *found);
    while (done < n_samples && n_idle < n_blocks) {
        const uint32_t left = n_samples - done, scaled = blocks[i] * (uint32_t)blocks[i];
        const uint32_t n = left < scaled ? left : scaled; /* up to 65,025 samples */
        int16_t *block = malloc(n > 0u ? 2u * n : 1u);    /* so that reading past its end is seen */
        sd_status status;
        if (block == NULL) {
            abort();
        }
        memcpy(block, samples + done, 2u * n);
        status = sd_recogniser_hear(recogniser, block, n);
        free(block);
        if (status == SD_CLIP_FULL) {
            found->status = SD_CLIP_FULL;
        } else if (status != SD_OK) {
            abort();
        }
        done += n;
        n_idle = n == 0u ? n_idle + 1u : 0u;
        i = i + 1u < n_blocks ? i + 1u : 0u;
    }
    if (done < n_samples && sd_recogniser_hear(recogniser, samples + done, n_samples - done) ==
                                SD_CLIP_FULL) { /* all blocks were empty */
        found->status = SD_CLIP_FULL;
    }
    if (sd_recogniser_result(recogniser, found->logits, &found->word) !=
        (n_samples > 0u ? SD_OK : SD_NOTHING_HEARD)) {
        abort();
    }
}

static void get_ready(sd_recogniser *recogniser, MODEL_MEMORY *memory)
{
    const sd_status status =
        recogniser->model == 0
            ? sd_recogniser_init(recogniser, &MODEL, MODEL_ID, memory, (uint32_t)sizeof *memory)
            : sd_recogniser_reset(recogniser);
    if (status != SD_OK) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* data: number of blocks; how much is heard and given up first, of the clip over and over, in 32
 * samples; sizes of the blocks (squares of a byte, over and over); then samples. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t endless[] = {255};
    static int16_t samples[MAX_SAMPLES];
    static answer expected, found; /* static: their padding is zeros in both */
    uint32_t n_blocks, n_samples, n_before;

    if (size < 2u + MAX_BLOCKS) {
        return 0;
    }
    n_blocks = data[0] % MAX_BLOCKS + 1u;
    n_samples = (uint32_t)((size - 2u - MAX_BLOCKS) / 2u);
    n_samples = n_samples < MAX_SAMPLES ? n_samples : MAX_SAMPLES;
    memcpy(samples, data + 2 + MAX_BLOCKS, 2u * n_samples);

    memset(&whole, 0, sizeof whole); /* this one is new for each clip, the other follows others */
    memset(&whole_memory, 0, sizeof whole_memory);
    get_ready(&whole, &whole_memory);
    hear(&whole, samples, n_samples, endless, 1, &expected);
    get_ready(&in_blocks, &block_memory);
    for (n_before = 32u * data[1]; n_samples > 0u && n_before >= n_samples; n_before -= n_samples) {
        (void)sd_recogniser_hear(&in_blocks, samples, n_samples);
    }
    (void)sd_recogniser_hear(&in_blocks, samples, n_before < n_samples ? n_before : n_samples);
    get_ready(&in_blocks, &block_memory);
    hear(&in_blocks, samples, n_samples, data + 2, n_blocks, &found);
    if (memcmp(&expected, &found, sizeof found) != 0) {
        abort();
    }
    return 0;
}
