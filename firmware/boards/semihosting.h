/* Semihosting calls for Cortex-M: the emulator (or debugger) does file I/O for the image.
 *
 * Source: Arm, "Semihosting for AArch32 and AArch64", version 3. An M-profile core traps with
 * BKPT 0xAB; r0 holds the operation, r1 its argument block. Only the calls that the boards need.
 */
#ifndef SD_BOARDS_SEMIHOSTING_H
#define SD_BOARDS_SEMIHOSTING_H

#include <stdint.h>

enum semihosting_operation {
    SEMIHOSTING_OPEN = 0x01,
    SEMIHOSTING_CLOSE = 0x02,
    SEMIHOSTING_WRITE = 0x05,
    SEMIHOSTING_READ = 0x06,
    SEMIHOSTING_EXIT_EXTENDED = 0x20
};

enum semihosting_mode { SEMIHOSTING_READ_BINARY = 1, SEMIHOSTING_WRITE_BINARY = 5 };

#define SEMIHOSTING_APPLICATION_EXIT 0x20026u

static inline int32_t semihosting_call(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return (int32_t)r0;
}

/* Open a file in the emulator's working folder. Returns a handle, or -1. */
static inline int32_t semihosting_open(const char *name, enum semihosting_mode mode)
{
    uint32_t n_characters = 0;
    while (name[n_characters] != '\0') {
        n_characters++;
    }
    const uint32_t block[3] = {(uint32_t)(uintptr_t)name, (uint32_t)mode, n_characters};
    return semihosting_call(SEMIHOSTING_OPEN, block);
}

/* Returns the number of bytes read, 0 at the end of the file. */
static inline uint32_t semihosting_read(int32_t handle, void *data, uint32_t n_bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, n_bytes};
    return n_bytes - (uint32_t)semihosting_call(SEMIHOSTING_READ, block);
}

/* Returns the number of bytes NOT written: 0 is success. */
static inline uint32_t semihosting_write(int32_t handle, const void *data, uint32_t n_bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, n_bytes};
    return (uint32_t)semihosting_call(SEMIHOSTING_WRITE, block);
}

static inline void semihosting_close(int32_t handle)
{
    const uint32_t block[1] = {(uint32_t)handle};
    (void)semihosting_call(SEMIHOSTING_CLOSE, block);
}

/* Ends the emulation; the emulator's own exit status is `status`. */
static inline void semihosting_exit(uint32_t status)
{
    const uint32_t block[2] = {SEMIHOSTING_APPLICATION_EXIT, status};
    (void)semihosting_call(SEMIHOSTING_EXIT_EXTENDED, block);
    for (;;) {
    }
}

#endif
