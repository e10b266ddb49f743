/* Board program: a stream of samples in, words out, through the window that sliding.h names.
 *
 * input.bin   int16 samples, little-endian
 * output.bin  for each event: verdict, word, confidence, start, end, decided, six int64
 * report.txt  blocks (of BLOCK_SAMPLES), block_instructions_max (of one that completes no window),
 *             window_instructions_max (of one that does), stack_bytes, sliding_bytes, memory_bytes
 */
#include "board.h"
#include "sliding.h"

enum { BLOCK_SAMPLES = 100 };

static sd_sliding sliding;
static SLIDING_MEMORY memory;
static int16_t block[BLOCK_SAMPLES];

static void write_event(const sd_event *event)
{
    const int64_t row[6] = {(int64_t)event->verdict, event->word,         event->confidence,
                            (int64_t)event->start,   (int64_t)event->end, (int64_t)event->decided};
    board_write(row, sizeof row);
}

int main(void)
{
    uint32_t n_bytes, n_blocks = 0, most = 0, most_window = 0;
    sd_status status;

    board_stack_paint();
    status = sd_sliding_init(&sliding, &SLIDING, SLIDING_ID, &memory, (uint32_t)sizeof memory);
    while (status == SD_OK && (n_bytes = board_read(block, sizeof block)) > 0u) {
        const int completes = sliding.left <= n_bytes / 2u;
        uint32_t taken, count;
        sd_event event;
        board_count_start();
        status = sd_sliding_hear(&sliding, block, n_bytes / 2u, &taken, &event);
        count = board_count_stop();
        if (completes) {
            most_window = count > most_window ? count : most_window;
        } else {
            most = count > most ? count : most;
        }
        if (event.verdict != SD_NOTHING) {
            write_event(&event);
        }
        n_blocks++;
    }
    board_report("blocks", n_blocks);
    board_report("block_instructions_max", most);
    board_report("window_instructions_max", most_window);
    board_report("stack_bytes", board_stack_used());
    board_report("sliding_bytes", sizeof sliding);
    board_report("memory_bytes", sizeof memory);
    return (int)status;
}
