/* Zephyr's kernel, as the sample uses it. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct device {
    const char *name;
};

struct k_mem_slab {
    char *memory;
    size_t block_size;
    uint32_t n_blocks, n_used;
};

#define K_MEM_SLAB_DEFINE_STATIC(name, slab_block_size, slab_num_blocks, slab_align)               \
    static char name##_memory[(slab_block_size) * (slab_num_blocks)]                               \
        __attribute__((aligned(slab_align)));                                                      \
    static struct k_mem_slab name = {name##_memory, slab_block_size, slab_num_blocks, 0}

static inline void k_mem_slab_free(struct k_mem_slab *slab, void *mem)
{
    (void)mem;
    slab->n_used--;
}

static const struct device the_microphone = {"dmic_dev"};
#define DT_NODELABEL(label) the_microphone
#define DEVICE_DT_GET(node) (&(node))

static inline bool device_is_ready(const struct device *dev)
{
    return dev != NULL;
}

#endif
