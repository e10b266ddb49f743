/* Services of board.h for a process on Linux: input.bin is its standard input, output.bin its
 * standard output. It counts neither instructions nor stack, and reports nothing. */
#include "board.h"

#if __STDC_HOSTED__
#include <unistd.h>
#else
#include "process_calls.h"
#endif

enum { INPUT = 0, OUTPUT = 1 };

uint32_t board_read(void *data, uint32_t n_bytes)
{
    uint32_t done = 0;
    while (done < n_bytes) { /* a pipe gives less than asked for */
        const long n = (long)read(INPUT, (uint8_t *)data + done, n_bytes - done);
        if (n <= 0) {
            break;
        }
        done += (uint32_t)n;
    }
    return done;
}

void board_write(const void *data, uint32_t n_bytes)
{
    uint32_t done = 0;
    while (done < n_bytes) {
        const long n = (long)write(OUTPUT, (const uint8_t *)data + done, n_bytes - done);
        if (n <= 0) {
            _exit(74); /* EX_IOERR */
        }
        done += (uint32_t)n;
    }
}

void board_report(const char *name, uint32_t value)
{
    (void)name;
    (void)value;
}

void board_count_start(void)
{
}

uint32_t board_count_stop(void)
{
    return 0;
}

void board_stack_paint(void)
{
}

uint32_t board_stack_used(void)
{
    return 0;
}
