/* Board program: clips of features in, logits out, with instruction counts and stack depth.
 *
 * Built with a generated model called sd_model.
 *
 * input.bin   for each clip: uint32 n_frames, then int8 features, SD_MODEL_N_INPUTS a frame
 * output.bin  for each clip: int32 logits, SD_MODEL_N_CLASSES of them
 * report.txt  clips, clip_instructions_max (from reset to logits), stack_bytes, state_bytes
 */
#include "board.h"
#include "sd_model.h"

static sd_model_memory memory;
static int8_t frame[SD_MODEL_N_INPUTS];
static int32_t logits[SD_MODEL_N_CLASSES];

/* Counts each step separately, to exclude reading the input. Returns instructions. */
static uint32_t run_clip(uint32_t n_frames)
{
    uint32_t n_instructions;

    board_count_start();
    sd_graph_reset(&sd_model, &memory);
    n_instructions = board_count_stop();
    while (n_frames-- > 0u) {
        (void)board_read(frame, sizeof frame);
        board_count_start();
        sd_graph_push(&sd_model, &memory, frame);
        n_instructions += board_count_stop();
    }
    board_count_start();
    sd_graph_finish(&sd_model, &memory, logits);
    return n_instructions + board_count_stop();
}

int main(void)
{
    uint32_t n_frames;
    uint32_t n_clips = 0;
    uint32_t most = 0;

    board_stack_paint();
    while (board_read(&n_frames, sizeof n_frames) == sizeof n_frames) {
        const uint32_t n_instructions = run_clip(n_frames);
        most = n_instructions > most ? n_instructions : most;
        n_clips++;
        board_write(logits, sizeof logits);
    }
    board_report("clips", n_clips);
    board_report("clip_instructions_max", most);
    board_report("stack_bytes", board_stack_used());
    board_report("state_bytes", sizeof memory);
    return 0;
}
