/* Zephyr's digital microphones, as the sample uses them: samples come from standard input. */
#ifndef DMIC_H
#define DMIC_H

#include <zephyr/kernel.h>

enum dmic_trigger { DMIC_TRIGGER_STOP, DMIC_TRIGGER_START };
enum pdm_lr { PDM_CHAN_LEFT, PDM_CHAN_RIGHT };

struct pdm_io_cfg {
    uint32_t min_pdm_clk_freq, max_pdm_clk_freq;
    uint8_t min_pdm_clk_dc, max_pdm_clk_dc;
};

struct pcm_stream_cfg {
    uint32_t pcm_rate;
    uint8_t pcm_width;
    uint16_t block_size;
    struct k_mem_slab *mem_slab;
};

struct pdm_chan_cfg {
    uint32_t req_chan_map_lo, req_chan_map_hi;
    uint8_t req_num_chan, req_num_streams;
};

struct dmic_cfg {
    struct pdm_io_cfg io;
    struct pcm_stream_cfg *streams;
    struct pdm_chan_cfg channel;
};

static struct pcm_stream_cfg the_stream;

static inline uint32_t dmic_build_channel_map(uint8_t channel, uint8_t pdm, enum pdm_lr lr)
{
    return (((pdm & 7u) << 1) | (uint32_t)lr) << ((channel & 7u) * 4u);
}

static inline int dmic_configure(const struct device *dev, struct dmic_cfg *cfg)
{
    the_stream = cfg->streams[0];
    return dev == NULL || the_stream.pcm_rate != 16000u || the_stream.pcm_width != 16u ||
                   cfg->channel.req_num_chan != 1u || cfg->channel.req_num_streams != 1u ||
                   the_stream.block_size != the_stream.mem_slab->block_size
               ? -22
               : 0;
}

static inline int dmic_trigger(const struct device *dev, enum dmic_trigger cmd)
{
    (void)dev;
    return cmd == DMIC_TRIGGER_START ? 0 : -1;
}

static inline int dmic_read(const struct device *dev, uint8_t stream, void **buffer, size_t *size,
                            int32_t timeout)
{
    struct k_mem_slab *slab = the_stream.mem_slab;
    (void)dev;
    (void)timeout;
    if (slab->n_used == slab->n_blocks) {
        return -12; /* blocks are not given back */
    }
    *buffer = slab->memory + slab->block_size * slab->n_used++;
    *size = 2u * fread(*buffer, 2, the_stream.block_size / 2u, stdin);
    if (*size == 0) {
        exit(stream != 0); /* the end of standard input */
    }
    return 0;
}

#endif
