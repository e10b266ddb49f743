/* Samples from an interrupt to the main loop: see sd_ring.h. */
#include "sd_ring.h"

#if defined(SD_RING_BY_C11)
#define LOAD(count) atomic_load_explicit(&(count), memory_order_acquire)
#define STORE(count, value) atomic_store_explicit(&(count), (value), memory_order_release)
#elif defined(__GNUC__) && defined(__SIZEOF_INT__) && __SIZEOF_INT__ == 4 &&                       \
    defined(__GCC_ATOMIC_INT_LOCK_FREE) && __GCC_ATOMIC_INT_LOCK_FREE == 2
#define LOAD(count) __atomic_load_n(&(count), __ATOMIC_ACQUIRE)
#define STORE(count, value) __atomic_store_n(&(count), (value), __ATOMIC_RELEASE)
#elif defined(__GNUC__)
#if defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' /* an RP2040 has two of them */
#define BARRIER() __asm__ volatile("dmb" ::: "memory")
#else
#define BARRIER() __asm__ volatile("" ::: "memory")
#endif
#define LOAD(count) load(&(count))
#define STORE(count, value) store(&(count), (value))

static inline uint32_t load(const sd_ring_count *count)
{
    const uint32_t value = *count;
    BARRIER();
    return value;
}

static inline void store(sd_ring_count *count, uint32_t value)
{
    BARRIER();
    *count = value;
}
#else
#define LOAD(count) (count)
#define STORE(count, value) ((count) = (value))
#endif

int sd_ring_init(sd_ring *ring, int16_t *samples, uint32_t capacity)
{
    if (ring == 0 || samples == 0 || capacity == 0u || (capacity & (capacity - 1u)) != 0u) {
        return 0;
    }
    ring->samples = samples;
    ring->capacity = capacity;
    STORE(ring->written, 0u);
    STORE(ring->taken, 0u);
    STORE(ring->lost, 0u);
    return 1;
}

uint32_t sd_ring_write(sd_ring *ring, const int16_t *samples, uint32_t n_samples)
{
    const uint32_t written = LOAD(ring->written);
    const uint32_t room = ring->capacity - (written - LOAD(ring->taken));
    const uint32_t n = n_samples < room ? n_samples : room;
    uint32_t i;
    for (i = 0; i < n; i++) {
        ring->samples[(written + i) & (ring->capacity - 1u)] = samples[i];
    }
    STORE(ring->written, written + n);
    if (n < n_samples) {
        STORE(ring->lost, LOAD(ring->lost) + (n_samples - n));
    }
    return n;
}

uint32_t sd_ring_read(sd_ring *ring, int16_t *samples, uint32_t n_samples)
{
    const uint32_t taken = LOAD(ring->taken);
    const uint32_t filled = LOAD(ring->written) - taken;
    const uint32_t n = n_samples < filled ? n_samples : filled;
    uint32_t i;
    for (i = 0; i < n; i++) {
        samples[i] = ring->samples[(taken + i) & (ring->capacity - 1u)];
    }
    STORE(ring->taken, taken + n);
    return n;
}

uint32_t sd_ring_lost(const sd_ring *ring)
{
    return LOAD(ring->lost);
}
