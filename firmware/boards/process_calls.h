/* A process on Linux without a C library: start, three system calls, and what compilers call by
 * themselves. For emulated processors of which only a compiler is installed.
 *
 * Numbers and registers: syscall(2) of the Linux man-pages. */
#ifndef SD_BOARDS_PROCESS_CALLS_H
#define SD_BOARDS_PROCESS_CALLS_H

#include <stddef.h>

int main(void);
void _start(void);
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

#if defined(__riscv) || defined(__aarch64__) || defined(__arm__)
#if defined(__arm__)
enum { CALL_READ = 3, CALL_WRITE = 4, CALL_EXIT = 1 }; /* EABI */
#else
enum { CALL_READ = 63, CALL_WRITE = 64, CALL_EXIT = 93 };
#endif

/* The call, the register of its number, and those of what is given; the first is the answer's. */
#if defined(__riscv)
#define CALL "ecall"
#define NUMBER "a7"
#define GIVEN(i) "a" i
#elif defined(__aarch64__)
#define CALL "svc 0"
#define NUMBER "x8"
#define GIVEN(i) "x" i
#else
#define CALL "svc 0"
#define NUMBER "r7"
#define GIVEN(i) "r" i
#endif

static inline long system_call(long number, long a, long b, long c)
{
    register long called __asm__(NUMBER) = number;
    register long first __asm__(GIVEN("0")) = a;
    register long second __asm__(GIVEN("1")) = b;
    register long third __asm__(GIVEN("2")) = c;
    __asm__ volatile(CALL : "+r"(first) : "r"(called), "r"(second), "r"(third) : "memory");
    return first; /* negative: an error */
}
#elif defined(__mips__)
enum { CALL_READ = 4003, CALL_WRITE = 4004, CALL_EXIT = 4001 }; /* o32 */

static inline long system_call(long number, long a, long b, long c)
{
    register long v0 __asm__("$2") = number;
    register long a0 __asm__("$4") = a;
    register long a1 __asm__("$5") = b;
    register long a2 __asm__("$6") = c;
    register long a3 __asm__("$7");
    __asm__ volatile("syscall"
                     : "+r"(v0), "=r"(a3)
                     : "r"(a0), "r"(a1), "r"(a2)
                     : "memory", "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
                       "$24", "$25", "hi", "lo");
    return a3 != 0 ? -1 : v0;
}
#else
#error "no system calls for this processor"
#endif

static inline long read(int file, void *data, size_t n)
{
    return system_call(CALL_READ, file, (long)data, (long)n);
}

static inline long write(int file, const void *data, size_t n)
{
    return system_call(CALL_WRITE, file, (long)data, (long)n);
}

static inline void _exit(int status)
{
    for (;;) {
        (void)system_call(CALL_EXIT, status, 0, 0);
    }
}

void _start(void)
{
    _exit(main());
}

/* volatile: or a compiler would make each a call of itself. */
void *memcpy(void *to, const void *from, size_t n)
{
    volatile unsigned char *t = to;
    const unsigned char *f = from;
    while (n-- > 0u) {
        *t++ = *f++;
    }
    return to;
}

void *memset(void *to, int value, size_t n)
{
    volatile unsigned char *t = to;
    while (n-- > 0u) {
        *t++ = (unsigned char)value;
    }
    return to;
}

#endif
