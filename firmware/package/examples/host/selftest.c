/* `make check`: the self-test on this computer. Exit status: 0 if all is equal, else 1. */
#include <stdio.h>

#include "selftest/sd_selftest.h"

static MODEL_MEMORY memory;
static DETECTOR_MEMORY kept;

static void show(const char *what, const char *word, int differs)
{
    printf("%s: \"%s\"%s\n", what, word, differs ? ", DIFFERS from the golden vector" : "");
}

int main(void)
{
    const uint32_t clips = sd_selftest_clips(&memory, show);
    const uint32_t events = sd_selftest_events(&memory, &kept, show);

    printf("%u clips, %u differ\n", (unsigned)GOLDEN_N_CLIPS, (unsigned)clips);
    printf("%u events, %u differ\n", (unsigned)GOLDEN_N_EVENTS, (unsigned)events);
    return clips + events != 0u;
}
