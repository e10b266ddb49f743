/* Board program: clips of samples in, logits out, through the whole recogniser of the model that
 * model.h names.
 *
 * input.bin   for each clip: uint32 n_samples, then int16 samples
 * output.bin  for each clip: int32 logits, MODEL_N_CLASSES of them
 * report.txt  clips, hear_instructions_max (of a block of BLOCK_SAMPLES), clip_instructions_max
 *             (from the first sample to the word), stack_bytes, state_bytes (recogniser and memory)
 */
#include "board.h"
#include "model.h"

enum { BLOCK_SAMPLES = 100 };

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static int16_t block[BLOCK_SAMPLES];
static int32_t logits[MODEL_N_CLASSES];
static uint32_t longest_hear, n_instructions;

static sd_status hear(uint32_t n_samples)
{
    sd_status status;
    uint32_t count;

    board_count_start();
    status = sd_recogniser_hear(&recogniser, block, n_samples);
    count = board_count_stop();
    n_instructions += count;
    longest_hear = count > longest_hear ? count : longest_hear;
    return status == SD_CLIP_FULL ? SD_OK : status;
}

static sd_status run_clip(uint32_t n_samples)
{
    sd_status status = sd_recogniser_reset(&recogniser);
    uint16_t word;

    n_instructions = 0;
    while (status == SD_OK && n_samples > 0u) {
        const uint32_t n = n_samples < BLOCK_SAMPLES ? n_samples : BLOCK_SAMPLES;
        (void)board_read(block, 2u * n);
        n_samples -= n;
        status = hear(n);
    }
    if (status == SD_OK) {
        board_count_start();
        status = sd_recogniser_result(&recogniser, logits, &word);
        n_instructions += board_count_stop();
    }
    return status;
}

int main(void)
{
    uint32_t n_samples, n_clips = 0, most = 0;
    sd_status status;

    board_stack_paint();
    status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, sizeof memory);
    while (status == SD_OK && board_read(&n_samples, sizeof n_samples) == sizeof n_samples) {
        status = run_clip(n_samples);
        most = n_instructions > most ? n_instructions : most;
        n_clips++;
        board_write(logits, sizeof logits);
    }
    board_report("clips", n_clips);
    board_report("hear_instructions_max", longest_hear);
    board_report("clip_instructions_max", most);
    board_report("stack_bytes", board_stack_used());
    board_report("state_bytes", sizeof recogniser + sizeof memory);
    return (int)status;
}
