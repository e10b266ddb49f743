/* Board program: clips of samples in, features out, with instruction counts and stack depth.
 *
 * input.bin   for each clip: uint32 n_samples, then int16 samples
 * output.bin  for each clip: for each frame a byte 1 and its int8 features; a byte 0
 * report.txt  frames, frame_instructions_max and _mean, push_instructions_max (one hop),
 *             stack_bytes, state_bytes, scratch_bytes
 */
#include "board.h"
#include "sd_model_frontend.h"

typedef struct {
    uint32_t n;
    uint32_t max;
    uint64_t sum;
} tally;

static sd_frontend frontend;
static sd_frontend_scratch scratch;
static int16_t block[SD_MODEL_FRONTEND_HOP_LENGTH];
static int8_t features[SD_MODEL_FRONTEND_N_FEATURES];
static tally frames, pushes;

static void add(tally *to, uint32_t value)
{
    to->n++;
    to->sum += value;
    to->max = value > to->max ? value : to->max;
}

static uint32_t push(const int16_t *samples, uint32_t n_samples)
{
    uint32_t n_taken;
    board_count_start();
    n_taken = sd_frontend_push(&sd_model_frontend, &frontend, samples, n_samples);
    add(&pushes, board_count_stop());
    return n_taken;
}

static void frame(void)
{
    const uint8_t is_frame = 1;
    board_count_start();
    sd_frontend_frame(&sd_model_frontend, &frontend, &scratch, features);
    add(&frames, board_count_stop());
    board_write(&is_frame, sizeof is_frame);
    board_write(features, sizeof features);
}

/* Reads the whole clip, including the samples beyond the last frame. */
static void run_clip(uint32_t n_samples)
{
    const uint8_t is_frame = 0;
    uint32_t n_frames = 0;
    sd_frontend_reset(&frontend);
    while (n_samples > 0u) {
        const uint32_t hop = SD_MODEL_FRONTEND_HOP_LENGTH;
        const uint32_t n = n_samples < hop ? n_samples : hop;
        uint32_t done = 0;
        (void)board_read(block, 2u * n);
        n_samples -= n;
        while (done < n && n_frames < SD_MODEL_FRONTEND_N_FRAMES) {
            done += push(block + done, n - done);
            if (sd_frontend_ready(&sd_model_frontend, &frontend)) {
                frame();
                n_frames++;
            }
        }
    }
    if (sd_frontend_finish(&sd_model_frontend, &frontend)) {
        frame();
    }
    board_write(&is_frame, sizeof is_frame);
}

int main(void)
{
    uint32_t n_samples;
    board_stack_paint();
    while (board_read(&n_samples, sizeof n_samples) == sizeof n_samples) {
        run_clip(n_samples);
    }
    board_report("stack_bytes", board_stack_used());
    board_report("state_bytes", sizeof frontend);
    board_report("scratch_bytes", sizeof scratch);
    board_report("frames", frames.n);
    board_report("frame_instructions_max", frames.max);
    board_report("frame_instructions_mean", frames.n > 0u ? (uint32_t)(frames.sum / frames.n) : 0u);
    board_report("push_instructions_max", pushes.max);
    return 0;
}
