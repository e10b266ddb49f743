/* Samples from an interrupt to the main loop: a ring buffer without locks.
 *
 * One side writes (the interrupt of a microphone), the other reads (the main
 * loop). Neither waits for the other. Use:
 *
 *     static int16_t samples[1024];                    (a power of two)
 *     static sd_ring ring;
 *     sd_ring_init(&ring, samples, 1024);              (before the interrupt is
 * enabled)
 *
 *     in the interrupt:   (void)sd_ring_write(&ring, block, n);
 *     in the main loop:   n = sd_ring_read(&ring, block, 160);
 *                         ... sd_detector_hear(...) ...
 *
 * `written` is changed by the writer alone and `taken` by the reader alone,
 * each after the samples it speaks of: release and acquire. By GCC and Clang no
 * library is needed for that: where they have no instructions for atomics, as
 * for a Cortex-M0, loads and stores of a word and a barrier do. Other compilers
 * get the atomics of C11 or, without those, volatile alone: enough for an
 * interrupt on the same core as long as the compiler keeps volatile and other
 * accesses in order. On a processor of 8 or 16 bits an interrupt can come
 * between the halves of a count: disable it around the main loop's calls. Both
 * count samples modulo 2^32, so the ring works for ever. */
#ifndef SD_RING_H
#define SD_RING_H

#include <stdint.h>

#if !defined(__GNUC__) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L &&              \
    !defined(__STDC_NO_ATOMICS__)
#include <stdatomic.h>
#define SD_RING_BY_C11 1
typedef _Atomic uint32_t sd_ring_count;
#else
typedef volatile uint32_t sd_ring_count;
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int16_t *samples;
    uint32_t capacity;     /* a power of two, at most 2^31 */
    sd_ring_count written; /* samples ever written, modulo 2^32 */
    sd_ring_count taken;   /* samples ever read, modulo 2^32 */
    sd_ring_count lost;    /* samples that found no room; the writer's */
} sd_ring;

/* Empty, on memory of the caller. Returns 0, and does nothing, if a pointer is
 * null or capacity is no power of two; 1 otherwise. */
int sd_ring_init(sd_ring *ring, int16_t *samples, uint32_t capacity);

/* Writer: append as many of n_samples as there is room for; count the others as
 * lost. Returns how many were taken. */
uint32_t sd_ring_write(sd_ring *ring, const int16_t *samples, uint32_t n_samples);

/* Reader: take at most n_samples, the oldest first. Returns how many there
 * were. */
uint32_t sd_ring_read(sd_ring *ring, int16_t *samples, uint32_t n_samples);

/* Either side: samples that found no room so far. When it grows, sample numbers
 * of events that follow are too small by as much. */
uint32_t sd_ring_lost(const sd_ring *ring);

#ifdef __cplusplus
}
#endif

#endif
