/* PDM.h of ArduinoCore-mbed, as the sketches use it: samples come from standard input. */
#ifndef PDM_H
#define PDM_H

#include "Arduino.h"
#include <string.h>

class PDMClass {
  public:
    int begin(int channels, int sampleRate) { return channels == 1 && sampleRate == 16000; }
    void onReceive(void (*function)(void)) { received = function; }
    int available() { return n_bytes; }
    int read(void *buffer, size_t size)
    {
        memcpy(buffer, arrived, size);
        n_bytes -= (int)size;
        return (int)size;
    }

    /* One interrupt of the microphone; 0 at the end of standard input. */
    int interrupt()
    {
        n_bytes = 2 * (int)fread(arrived, 2, 256, stdin);
        const int more = n_bytes > 0;
        if (more && received) {
            received();
        }
        return more;
    }

  private:
    void (*received)(void) = 0;
    int16_t arrived[256];
    int n_bytes = 0;
};

static PDMClass PDM;

#endif
