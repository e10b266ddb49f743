/* The self-test of an exported folder on an emulated board. */
#include "board.h"
#include "selftest/sd_selftest.h"

static MODEL_MEMORY memory;
static DETECTOR_MEMORY kept;

int main(void)
{
    board_report("differ", sd_selftest(&memory, &kept, 0));
    board_report("detector_ram", sizeof kept + sizeof(sd_detector));
    board_report("clips", GOLDEN_N_CLIPS);
    board_report("events", GOLDEN_N_EVENTS);
    return 0;
}
