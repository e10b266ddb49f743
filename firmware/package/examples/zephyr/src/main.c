/* Words from a digital microphone (devicetree label dmic_dev); the self-test first. */
#include <zephyr/audio/dmic.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "detector.h"
#include "engine/sd_decimator.h"
#include "model.h"
#include "selftest/sd_selftest.h"

#define MICROPHONE_RATE 16000
#if MODEL_SAMPLE_RATE != MICROPHONE_RATE && 2 * MODEL_SAMPLE_RATE != MICROPHONE_RATE
#error "The microphone gives 16 kHz: this example is for models of 8 or 16 kHz."
#endif

#define BLOCK_SAMPLES 800 /* 50 ms */
#define BLOCK_BYTES (BLOCK_SAMPLES * sizeof(int16_t))
#define N_BLOCKS 16 /* 800 ms: what comes in while the network runs */
#define TIMEOUT_MS 1000

K_MEM_SLAB_DEFINE_STATIC(blocks, BLOCK_BYTES, N_BLOCKS, 4);

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;
static sd_decimator decimator;

static int start(const struct device *microphone)
{
    struct pcm_stream_cfg stream = {
        .pcm_rate = MICROPHONE_RATE,
        .pcm_width = 16,
        .block_size = BLOCK_BYTES,
        .mem_slab = &blocks,
    };
    struct dmic_cfg config = {
        .io =
            {
                .min_pdm_clk_freq = 1000000,
                .max_pdm_clk_freq = 3500000,
                .min_pdm_clk_dc = 40,
                .max_pdm_clk_dc = 60,
            },
        .streams = &stream,
        .channel =
            {
                .req_num_streams = 1,
                .req_num_chan = 1,
            },
    };
    int error;

    config.channel.req_chan_map_lo = dmic_build_channel_map(0, 0, PDM_CHAN_LEFT);
    error = dmic_configure(microphone, &config);
    return error < 0 ? error : dmic_trigger(microphone, DMIC_TRIGGER_START);
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
                printk("%lu ms: %s (%u of %u)\n",
                       (unsigned long)(event.start * 1000u / DETECTOR.sample_rate),
                       MODEL.labels[event.word], (unsigned)event.confidence, (unsigned)SD_CERTAIN);
            }
        }
    }
    return status;
}

int main(void)
{
    const struct device *const microphone = DEVICE_DT_GET(DT_NODELABEL(dmic_dev));
    sd_status status;
    int error = -1;

    printk("%u clips, %u events, %u differ\n", (unsigned)GOLDEN_N_CLIPS, (unsigned)GOLDEN_N_EVENTS,
           (unsigned)sd_selftest(&memory, &kept, NULL));
    status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);
    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    sd_decimator_reset(&decimator);
    if (device_is_ready(microphone)) {
        error = start(microphone);
    }
    while (status == SD_OK && error >= 0) {
        void *block;
        size_t n_bytes;
        error = dmic_read(microphone, 0, &block, &n_bytes, TIMEOUT_MS);
        if (error >= 0) {
            uint32_t n = (uint32_t)(n_bytes / sizeof(int16_t));
            if (2 * MODEL_SAMPLE_RATE == MICROPHONE_RATE) {
                n = sd_decimator_push(&decimator, block, n, block);
            }
            status = hear(block, n);
            k_mem_slab_free(&blocks, block);
        }
    }
    printk("microphone: %d; status %d: see sd_status\n", error, (int)status);
    return 0;
}
