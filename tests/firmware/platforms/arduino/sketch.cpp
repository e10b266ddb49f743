/* A sketch as a program: SKETCH is its file. Arduino declares setup and loop in the same way. */
#include "Arduino.h"
#include "PDM.h"

void setup();
void loop();

#include SKETCH

int main()
{
    int i;
    setup();
    while (PDM.interrupt()) {
        loop();
        loop();
    }
    for (i = 0; i < 200; i++) { /* what the ring still holds */
        loop();
    }
    return 0;
}
