/* As much of Arduino's interface as the sketches of an exported folder use, on standard output. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct SerialPort {
    void begin(unsigned long) {}
    operator bool() const { return true; }
    void print(const char *text) { printf("%s", text); }
    void print(unsigned number) { printf("%u", number); }
    void print(unsigned long number) { printf("%lu", number); }
    void print(int number) { printf("%d", number); }
    template <typename T> void println(T value)
    {
        print(value);
        printf("\n");
    }
};

static SerialPort Serial;

/* A sketch waits where it has given up. */
inline void delay(unsigned long)
{
    exit(1);
}

#endif
