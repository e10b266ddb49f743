/* Words from an INMP441 at the I2S of an ESP32; the self-test first.
 *
 * Wiring: SCK, WS and SD to the pins below, L/R to ground, 3.3 V. */
#include <inttypes.h>
#include <stdio.h>

#include "driver/i2s_std.h"
#include "esp_err.h"
#include "freertos/FreeRTOS.h"

#include "detector.h"
#include "engine/sd_decimator.h"
#include "model.h"
#include "selftest/sd_selftest.h"

#define PIN_SCK GPIO_NUM_4
#define PIN_WS GPIO_NUM_5
#define PIN_SD GPIO_NUM_6

#define MICROPHONE_RATE 16000 /* its clock must not fall below 0.5 MHz: 64 bits a sample */
#if MODEL_SAMPLE_RATE != MICROPHONE_RATE && 2 * MODEL_SAMPLE_RATE != MICROPHONE_RATE
#error "The microphone gives 16 kHz: this example is for models of 8 or 16 kHz."
#endif

enum { BLOCK_SAMPLES = 320 };

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;
static sd_decimator decimator;

static i2s_chan_handle_t microphone(void)
{
    i2s_chan_handle_t channel;
    i2s_chan_config_t of_channel = I2S_CHANNEL_DEFAULT_CONFIG(I2S_NUM_AUTO, I2S_ROLE_MASTER);
    i2s_std_config_t config = {
        .clk_cfg = I2S_STD_CLK_DEFAULT_CONFIG(MICROPHONE_RATE),
        .slot_cfg =
            I2S_STD_PHILIPS_SLOT_DEFAULT_CONFIG(I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_MONO),
        .gpio_cfg =
            {
                .mclk = I2S_GPIO_UNUSED,
                .bclk = PIN_SCK,
                .ws = PIN_WS,
                .dout = I2S_GPIO_UNUSED,
                .din = PIN_SD,
            },
    };

    config.slot_cfg.slot_mask = I2S_STD_SLOT_LEFT; /* L/R is at ground */
    of_channel.dma_desc_num = 16;                  /* 480 ms: what comes in while the network runs */
    of_channel.dma_frame_num = 480;
    ESP_ERROR_CHECK(i2s_new_channel(&of_channel, NULL, &channel));
    ESP_ERROR_CHECK(i2s_channel_init_std_mode(channel, &config));
    ESP_ERROR_CHECK(i2s_channel_enable(channel));
    return channel;
}

/* The upper 18 of 32 bits, limited to 16: the microphone has 24, and speech is far below full
 * scale. */
static int16_t narrowed(int32_t sample)
{
    const int32_t louder = sample / 16384;
    return (int16_t)(louder > INT16_MAX ? INT16_MAX : louder < INT16_MIN ? INT16_MIN : louder);
}

static sd_status hear(const int16_t *samples, uint32_t n)
{
    sd_status status = SD_OK;

    while (status == SD_OK && n > 0u) {
        uint32_t taken;
        sd_event event;
        status = sd_detector_hear(&detector, samples, n, &taken, &event);
        if (status == SD_OK) {
            samples += taken;
            n -= taken;
            if (event.verdict == SD_WORD) {
                printf("%lu ms: %s (%u of %u)\n",
                       (unsigned long)(event.start * 1000u / DETECTOR.sample_rate),
                       MODEL.labels[event.word], (unsigned)event.confidence, (unsigned)SD_CERTAIN);
            }
        }
    }
    return status;
}

void app_main(void)
{
    static int32_t wide[BLOCK_SAMPLES];
    static int16_t block[BLOCK_SAMPLES];
    i2s_chan_handle_t channel;
    sd_status status;

    printf("%u clips, %u events, %" PRIu32 " differ\n", (unsigned)GOLDEN_N_CLIPS,
           (unsigned)GOLDEN_N_EVENTS, sd_selftest(&memory, &kept, NULL));
    status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);
    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    sd_decimator_reset(&decimator);
    channel = microphone();
    while (status == SD_OK) {
        size_t n_bytes;
        uint32_t n, i;
        ESP_ERROR_CHECK(i2s_channel_read(channel, wide, sizeof wide, &n_bytes, portMAX_DELAY));
        n = (uint32_t)(n_bytes / sizeof *wide);
        for (i = 0; i < n; i++) {
            block[i] = narrowed(wide[i]);
        }
        if (2 * MODEL_SAMPLE_RATE == MICROPHONE_RATE) {
            n = sd_decimator_push(&decimator, block, n, block);
        }
        status = hear(block, n);
    }
    printf("status %d: see sd_status\n", (int)status);
}
