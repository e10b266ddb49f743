/* Services of board.h for an AVR in simavr. The input is part of the image, in flash, where avr.S
 * puts it; the output leaves the serial port as lines "data HEX" and "name value", and the last
 * line is "exit STATUS". It counts neither instructions nor stack. */
#include "board.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

extern const uint8_t board_input[], board_input_end[];

/* ---- serial port ---- */

static void put(char character)
{
    while ((UCSR0A & (1u << UDRE0)) == 0u) {
    }
    UDR0 = (uint8_t)character;
}

static void put_text(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

static void put_number(uint32_t value)
{
    char digits[11];
    uint8_t first = sizeof digits;
    digits[--first] = '\0';
    do {
        digits[--first] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    put_text(&digits[first]);
}

/* ---- files ---- */

uint32_t board_read(void *data, uint32_t n_bytes)
{
    static uint32_t done;
    const uint32_t n_all = pgm_get_far_address(board_input_end) - pgm_get_far_address(board_input);
    uint8_t *to = data;
    uint32_t n = 0;
    while (n < n_bytes && done < n_all) {
        *to++ = pgm_read_byte_far(pgm_get_far_address(board_input) + done);
        done++;
        n++;
    }
    return n;
}

void board_write(const void *data, uint32_t n_bytes)
{
    const uint8_t *from = data;
    put_text("data ");
    while (n_bytes-- > 0u) {
        put("0123456789abcdef"[*from >> 4]);
        put("0123456789abcdef"[*from++ & 15u]);
    }
    put('\n');
}

void board_report(const char *name, uint32_t value)
{
    put_text(name);
    put(' ');
    put_number(value);
    put('\n');
}

/* ---- start and end ---- */

__attribute__((constructor)) static void open_port(void)
{
    UBRR0 = 0; /* as fast as it can */
    UCSR0B = 1u << TXEN0;
}

/* avr-libc calls it with the status of main. */
void exit(int status)
{
    board_report("exit", (uint32_t)status);
    cli();
    sleep_enable();
    for (;;) {
        sleep_cpu(); /* with interrupts off, it ends the simulation */
    }
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
