/* Board program: clips of samples in, words out, with instruction counts and stack depth.
 *
 * input.bin   for each clip: uint32 n_samples, then int16 samples
 * output.bin  for each clip: for each frame of the word a byte 1 and its int8 features; a byte 0
 * report.txt  frames (heard), frame_instructions_max and _mean (sd_word_push),
 *             push_instructions_max (one hop), finish_instructions_max,
 *             feature_instructions_max (one frame of the word), stack_bytes,
 *             state_bytes (until the last frame of the word is read), scratch_bytes (until the end)
 */
#include "board.h"
#include "sd_model_frontend.h"

typedef struct {
    uint32_t n;
    uint32_t max;
    uint64_t sum;
} tally;

static sd_model_word_kept kept;
static sd_model_word_recent recent;
static sd_word word = SD_WORD(kept, recent);
static sd_frontend frontend;
static sd_complex spectrum[SD_FFT_POINTS];
static int16_t block[SD_MODEL_FRONTEND_HOP_LENGTH];
static int8_t features[SD_MODEL_FRONTEND_N_FEATURES];
static tally frames, pushes, finishes, rows;

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
    board_count_start();
    sd_word_push(&sd_model_frontend, &word, &frontend, spectrum);
    add(&frames, board_count_stop());
}

static void write_word(void)
{
    const uint8_t is_frame = 1, is_end = 0;
    uint32_t i;
    board_count_start();
    (void)sd_word_finish(&sd_model_frontend, &word);
    add(&finishes, board_count_stop());
    for (i = 0; i < SD_MODEL_FRONTEND_N_FRAMES; i++) {
        board_count_start();
        sd_word_frame(&sd_model_frontend, &word, i, features);
        add(&rows, board_count_stop());
        board_write(&is_frame, sizeof is_frame);
        board_write(features, sizeof features);
    }
    board_write(&is_end, sizeof is_end);
}

static void run_clip(uint32_t n_samples)
{
    sd_frontend_reset(&frontend);
    sd_word_reset(&word);
    while (n_samples > 0u) {
        const uint32_t hop = SD_MODEL_FRONTEND_HOP_LENGTH;
        const uint32_t n = n_samples < hop ? n_samples : hop;
        uint32_t done = 0;
        (void)board_read(block, 2u * n);
        n_samples -= n;
        while (done < n) {
            done += push(block + done, n - done);
            if (sd_frontend_ready(&sd_model_frontend, &frontend)) {
                frame();
            }
        }
    }
    if (sd_frontend_finish(&sd_model_frontend, &frontend)) {
        frame();
    }
    write_word();
}

int main(void)
{
    uint32_t n_samples;
    board_stack_paint();
    while (board_read(&n_samples, sizeof n_samples) == sizeof n_samples) {
        run_clip(n_samples);
    }
    board_report("stack_bytes", board_stack_used());
    board_report("state_bytes", sizeof kept + sizeof word);
    board_report("scratch_bytes", sizeof recent + sizeof frontend + sizeof spectrum);
    board_report("frames", frames.n);
    board_report("frame_instructions_max", frames.max);
    board_report("frame_instructions_mean", frames.n > 0u ? (uint32_t)(frames.sum / frames.n) : 0u);
    board_report("push_instructions_max", pushes.max);
    board_report("finish_instructions_max", finishes.max);
    board_report("feature_instructions_max", rows.max);
    return 0;
}
