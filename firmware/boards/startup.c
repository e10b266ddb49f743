/* Reset and vectors of a bare-metal Cortex-M image: set up memory, enter main(), exit.
 *
 * The same file serves Cortex-M0, M3 and M4; addresses come from the linker script.
 */
#include <stdint.h>

#include "semihosting.h"

int main(void);
void reset_handler(void);
void fault_handler(void);

extern uint32_t board_stack_top[];
extern uint32_t board_data_load[], board_data_start[], board_data_end[];
extern uint32_t board_bss_start[], board_bss_end[];

typedef void (*vector)(void);

/* Only reset and the faults can happen: no interrupt is ever enabled. */
__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *initial_stack_pointer;
    vector handlers[15];
} vectors = {
    board_stack_top,
    {reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
     fault_handler, fault_handler, fault_handler},
};

void reset_handler(void)
{
    const volatile uint32_t *from = board_data_load;
    volatile uint32_t *to;

    for (to = board_data_start; to < board_data_end; to++) {
        *to = *from++;
    }
    for (to = board_bss_start; to < board_bss_end; to++) {
        *to = 0;
    }
    semihosting_exit((uint32_t)main());
}

void fault_handler(void)
{
    semihosting_exit(70); /* EX_SOFTWARE: a fault, such as an unaligned access on the M0 */
}
