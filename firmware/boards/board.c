/* Files, instruction counts and stack depth for board programs: see board.h. */
#include "board.h"

#include "semihosting.h"

/* ---- files ---- */

static int32_t open_once(int32_t *handle, const char *name, enum semihosting_mode mode)
{
    if (*handle == 0) {
        *handle = semihosting_open(name, mode);
        if (*handle <= 0) {
            semihosting_exit(74); /* EX_IOERR */
        }
    }
    return *handle;
}

uint32_t board_read(void *data, uint32_t n_bytes)
{
    static int32_t input;
    return semihosting_read(open_once(&input, "input.bin", SEMIHOSTING_READ_BINARY), data, n_bytes);
}

void board_write(const void *data, uint32_t n_bytes)
{
    static int32_t output;
    if (semihosting_write(open_once(&output, "output.bin", SEMIHOSTING_WRITE_BINARY), data,
                          n_bytes) != 0) {
        semihosting_exit(74);
    }
}

void board_report(const char *name, uint32_t value)
{
    static int32_t report;
    char digits[12]; /* filled from the end: " 4294967295\n" */
    uint32_t first = sizeof digits;
    uint32_t n_characters = 0;

    digits[--first] = '\n';
    do {
        digits[--first] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    digits[--first] = ' ';

    while (name[n_characters] != '\0') {
        n_characters++;
    }
    open_once(&report, "report.txt", SEMIHOSTING_WRITE_BINARY);
    if (semihosting_write(report, name, n_characters) != 0 ||
        semihosting_write(report, &digits[first], (uint32_t)sizeof digits - first) != 0) {
        semihosting_exit(74);
    }
}

/* ---- instructions ---- */

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010u)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014u)
#define SYSTICK_CURRENT (*(volatile uint32_t *)0xE000E018u) /* counts down */
#define SYSTICK_MASK 0xFFFFFFu
#define SYSTICK_COUNTFLAG 0x10000u

static uint32_t started;
static uint32_t overhead;

static uint32_t ticks_since_start(void)
{
    const uint32_t ticks = (started - SYSTICK_CURRENT) & SYSTICK_MASK;
    /* counted down to 0 since: once more around */
    return (SYSTICK_CONTROL & SYSTICK_COUNTFLAG) != 0u ? ticks + SYSTICK_MASK + 1u : ticks;
}

/* Begin at the top of the counter. */
static void restart(void)
{
    SYSTICK_CURRENT = 0;
    while (SYSTICK_CURRENT == 0u) {
    }
    (void)SYSTICK_CONTROL; /* clears the flag */
    started = SYSTICK_CURRENT;
}

void board_count_start(void)
{
    if ((SYSTICK_CONTROL & 1u) == 0u) {
        SYSTICK_RELOAD = SYSTICK_MASK;
        SYSTICK_CONTROL = 5; /* processor clock, no interrupt, run */
        restart();
        overhead = ticks_since_start(); /* cost of an empty measurement */
    }
    restart();
}

uint32_t board_count_stop(void)
{
    const uint32_t ticks = ticks_since_start() - overhead;
    /* BOARD_TICKS / BOARD_INSTRUCTIONS: clock ticks in 2^6 ns, as a fraction. */
    return (ticks / BOARD_TICKS) * BOARD_INSTRUCTIONS +
           ((ticks % BOARD_TICKS) * BOARD_INSTRUCTIONS + BOARD_TICKS / 2u) / BOARD_TICKS;
}

/* ---- stack ---- */

#define PAINT 0xC0FFEE11u
extern uint32_t board_stack_bottom[]; /* from the linker script: the lowest address */

static uint32_t *painted_to;

static inline uint32_t *stack_pointer(void)
{
    uint32_t *pointer;
    __asm__ volatile("mov %0, sp" : "=r"(pointer));
    return pointer;
}

/* noinline and no large locals: the stack below sp is free here. */
__attribute__((noinline)) void board_stack_paint(void)
{
    uint32_t *word;
    painted_to = stack_pointer();
    for (word = board_stack_bottom; word < painted_to; word++) {
        *(volatile uint32_t *)word = PAINT;
    }
}

__attribute__((noinline)) uint32_t board_stack_used(void)
{
    const volatile uint32_t *word = board_stack_bottom;
    while (word < painted_to && *word == PAINT) {
        word++;
    }
    return (uint32_t)((const volatile uint8_t *)painted_to - (const volatile uint8_t *)word);
}
