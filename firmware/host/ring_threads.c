/* Two threads on one sd_ring, as an interrupt and a main loop: to be run under ThreadSanitizer.
 *
 *     ring_threads N        passes N samples in blocks of many sizes
 *
 * The reader checks that every sample that was taken arrives, once and in order. Exit status 0 if
 * so; prints how many found no room. */
#include "sd_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY = 64, LARGEST = 50 };

static int16_t memory[CAPACITY];
static sd_ring ring;
static uint32_t n_samples, n_refused;

/* Sample number `i` of the stream: any sequence that shows what is lost or repeated. */
static int16_t sample(uint32_t i)
{
    return (int16_t)((i * 40503u + (i >> 7)) & 0x7FFFu);
}

static void *write_all(void *unused)
{
    int16_t block[LARGEST];
    uint32_t done = 0, size = 1;
    while (done < n_samples) {
        uint32_t i, n = n_samples - done < size ? n_samples - done : size;
        for (i = 0; i < n; i++) {
            block[i] = sample(done + i);
        }
        i = sd_ring_write(&ring, block, n);
        n_refused += n - i;
        done += i; /* what was refused comes again */
        size = size % LARGEST + 1u;
        if (i == 0u) {
            (void)sched_yield();
        }
    }
    return unused;
}

int main(int n_arguments, char **arguments)
{
    pthread_t writer;
    int16_t block[LARGEST];
    uint32_t done = 0, size = LARGEST;

    n_samples = n_arguments > 1 ? (uint32_t)strtoul(arguments[1], 0, 10) : 0u;
    if (!sd_ring_init(&ring, memory, CAPACITY) || pthread_create(&writer, 0, write_all, 0) != 0) {
        return 2;
    }
    while (done < n_samples) {
        const uint32_t n = sd_ring_read(&ring, block, size);
        uint32_t i;
        for (i = 0; i < n; i++) {
            if (block[i] != sample(done + i)) {
                (void)printf("sample %lu is wrong\n", (unsigned long)(done + i));
                return 1;
            }
        }
        done += n;
        size = size > 1u ? size - 1u : LARGEST;
        if (n == 0u) {
            (void)sched_yield();
        }
    }
    (void)pthread_join(writer, 0);
    (void)printf("%lu\n", (unsigned long)n_refused);
    return sd_ring_lost(&ring) == n_refused && sd_ring_read(&ring, block, 1u) == 0u ? 0 : 1;
}
