/* ESP-IDF's I2S in standard mode, as the example uses it: samples come from standard input, 16 bits
 * of which lie in 32 as an INMP441 would send them at a quarter of full scale. */
#ifndef I2S_STD_H
#define I2S_STD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_err.h"

typedef enum { GPIO_NUM_NC = -1, GPIO_NUM_4 = 4, GPIO_NUM_5, GPIO_NUM_6 } gpio_num_t;
typedef enum { I2S_DATA_BIT_WIDTH_16BIT = 16, I2S_DATA_BIT_WIDTH_32BIT = 32 } i2s_data_bit_width_t;
typedef enum { I2S_SLOT_MODE_MONO = 1, I2S_SLOT_MODE_STEREO } i2s_slot_mode_t;
typedef enum { I2S_STD_SLOT_LEFT = 1, I2S_STD_SLOT_BOTH = 3 } i2s_std_slot_mask_t;
typedef enum { I2S_ROLE_MASTER, I2S_ROLE_SLAVE } i2s_role_t;
typedef struct i2s_channel *i2s_chan_handle_t;

#define I2S_NUM_AUTO (-1)
#define I2S_GPIO_UNUSED GPIO_NUM_NC

typedef struct {
    int id;
    i2s_role_t role;
    uint32_t dma_desc_num, dma_frame_num;
} i2s_chan_config_t;

typedef struct {
    uint32_t sample_rate_hz;
} i2s_std_clk_config_t;

typedef struct {
    i2s_data_bit_width_t data_bit_width;
    i2s_slot_mode_t slot_mode;
    i2s_std_slot_mask_t slot_mask;
} i2s_std_slot_config_t;

typedef struct {
    gpio_num_t mclk, bclk, ws, dout, din;
    struct {
        uint32_t mclk_inv : 1, bclk_inv : 1, ws_inv : 1;
    } invert_flags;
} i2s_std_gpio_config_t;

typedef struct {
    i2s_std_clk_config_t clk_cfg;
    i2s_std_slot_config_t slot_cfg;
    i2s_std_gpio_config_t gpio_cfg;
} i2s_std_config_t;

#define I2S_CHANNEL_DEFAULT_CONFIG(i2s_num, i2s_role)                                              \
    {                                                                                              \
        .id = i2s_num, .role = i2s_role, .dma_desc_num = 6, .dma_frame_num = 240,                  \
    }
#define I2S_STD_CLK_DEFAULT_CONFIG(rate)                                                           \
    {                                                                                              \
        .sample_rate_hz = rate,                                                                    \
    }
#define I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(bits_per_sample, mono_or_stereo)                       \
    {                                                                                              \
        .data_bit_width = bits_per_sample, .slot_mode = mono_or_stereo,                            \
        .slot_mask = I2S_STD_SLOT_BOTH,                                                            \
    }

static inline esp_err_t i2s_new_channel(const i2s_chan_config_t *config, i2s_chan_handle_t *send,
                                        i2s_chan_handle_t *receive)
{
    /* A DMA buffer holds at most 4,092 bytes. */
    *receive = 0;
    return config->role != I2S_ROLE_MASTER || send != 0 || 4u * config->dma_frame_num > 4092u;
}

static inline esp_err_t i2s_channel_init_std_mode(i2s_chan_handle_t channel,
                                                  const i2s_std_config_t *config)
{
    (void)channel;
    return config->clk_cfg.sample_rate_hz != 16000u ||
           config->slot_cfg.data_bit_width != I2S_DATA_BIT_WIDTH_32BIT ||
           config->slot_cfg.slot_mode != I2S_SLOT_MODE_MONO ||
           config->slot_cfg.slot_mask != I2S_STD_SLOT_LEFT || config->gpio_cfg.din < 0;
}

static inline esp_err_t i2s_channel_enable(i2s_chan_handle_t channel)
{
    (void)channel;
    return ESP_OK;
}

static inline esp_err_t i2s_channel_read(i2s_chan_handle_t channel, void *dest, size_t size,
                                         size_t *bytes_read, uint32_t timeout_ms)
{
    int32_t *samples = dest;
    int16_t sample;
    size_t n = 0;
    (void)channel;
    (void)timeout_ms;
    while (n < size / 4u && fread(&sample, 2, 1, stdin) == 1) {
        samples[n++] = (int32_t)sample * 16384;
    }
    if (n == 0) {
        exit(0); /* the end of standard input */
    }
    *bytes_read = 4u * n;
    return ESP_OK;
}

void app_main(void);

#endif
