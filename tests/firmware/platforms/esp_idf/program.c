#include "driver/i2s_std.h"

int main(void)
{
    app_main();
    return 1; /* it listens for ever */
}
