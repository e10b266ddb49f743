/* Services for board programs: bytes in, bytes out, instruction counts and stack depth.
 *
 * A board program is one `int main(void)`. It reads `input.bin`, writes `output.bin`, and
 * reports named numbers to `report.txt` ("name value" lines), all in the emulator's working
 * folder. Its return value is the emulator's exit status. See startup.c for how it is entered.
 *
 *     static int16_t block[160];
 *     int main(void)
 *     {
 *         while (board_read(block, sizeof block) == sizeof block) {
 *             board_count_start();
 *             work(block);
 *             board_report("instructions", board_count_stop());
 *             board_write(block, sizeof block);
 *         }
 *         return 0;
 *     }
 */
#ifndef SD_BOARDS_BOARD_H
#define SD_BOARDS_BOARD_H

#include <stdint.h>

/* Bytes read from input.bin; fewer than n_bytes only at its end. */
uint32_t board_read(void *data, uint32_t n_bytes);

/* Append to output.bin. */
void board_write(const void *data, uint32_t n_bytes);

/* Append "name value" to report.txt. */
void board_report(const char *name, uint32_t value);

/* Instructions executed between start and stop (not cycles): the emulator advances its clock
 * by 2^6 ns per instruction (-icount shift=6) and SysTick reads that clock. Accurate to a few
 * instructions, for at most 20 million; the cost of the calls themselves is subtracted. */
void board_count_start(void);
uint32_t board_count_stop(void);

/* Deepest stack use, in bytes, of the functions called between paint and used. */
void board_stack_paint(void);
uint32_t board_stack_used(void);

#endif
