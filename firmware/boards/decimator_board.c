/* Board program: samples at 16 kHz in, samples at 8 kHz out, in place, block by block.
 *
 * input.bin   int16 samples
 * output.bin  int16 samples
 * report.txt  block_instructions_max (for BLOCK samples in), state_bytes
 */
#include "board.h"
#include "sd_decimator.h"

enum { BLOCK = 320 };

static sd_decimator decimator;
static int16_t block[BLOCK];

int main(void)
{
    uint32_t n_bytes;
    uint32_t most = 0;

    sd_decimator_reset(&decimator);
    while ((n_bytes = board_read(block, sizeof block)) > 0u) {
        uint32_t n_written;
        uint32_t n_instructions;
        board_count_start();
        n_written = sd_decimator_push(&decimator, block, n_bytes / 2u, block);
        n_instructions = board_count_stop();
        most = n_instructions > most ? n_instructions : most;
        board_write(block, 2u * n_written);
    }
    board_report("block_instructions_max", most);
    board_report("state_bytes", sizeof decimator);
    return 0;
}
