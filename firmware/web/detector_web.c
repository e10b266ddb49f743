/* A detector, and perhaps a sliding window, as WebAssembly: see detector_web.h. */
#include "detector_web.h"

#include "detector.h"
#include "model.h"
#include "sd_frontend.h"
#if SD_WEB_HAS_WINDOWS
#include "sliding.h"
#endif

enum {
    ROOM_SAMPLES = 32768, /* 2 s at 16 kHz: the longest word that can be repeated */
    MOST_BANDS = 128      /* bins of a spectrum */
};

static int16_t samples[ROOM_SAMPLES];
static sd_recogniser recogniser, repeater;
static MODEL_MEMORY memory, repeated;
static int32_t repeated_logits[MODEL_N_CLASSES];
static sd_detector detector;
static DETECTOR_MEMORY kept;
#if SD_WEB_HAS_WINDOWS
static sd_sliding sliding;
static SLIDING_MEMORY slid;
#endif
static uint32_t windows; /* whether they are what listens */
static sd_web_event heard;
static sd_frontend seen;
static sd_complex spectrum[SD_FFT_POINTS];
static int16_t bands[MOST_BANDS];
static uint32_t is_full;

int16_t *sd_web_samples(void)
{
    return samples;
}

uint32_t sd_web_room(void)
{
    return ROOM_SAMPLES;
}

static sd_status listen_by_endpoints(void)
{
    const sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);
    return status != SD_OK ? status
                           : sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples,
                                              kept.logits);
}

static sd_status listen_by_windows(void)
{
#if SD_WEB_HAS_WINDOWS
    return sd_sliding_init(&sliding, &SLIDING, SLIDING_ID, &slid, (uint32_t)sizeof slid);
#else
    return SD_NOT_INITIALISED;
#endif
}

uint32_t sd_web_listen(uint32_t how)
{
    sd_status status =
        sd_recogniser_init(&repeater, &MODEL, MODEL_ID, &repeated, (uint32_t)sizeof repeated);
    windows = how;
    if (status == SD_OK) {
        status = how == SD_WEB_WINDOWS ? listen_by_windows() : listen_by_endpoints();
    }
    sd_frontend_reset(&seen);
    is_full = 0;
    return (uint32_t)status;
}

/* Whether n samples from `first` on are in the room. */
static int fits(uint32_t first, uint32_t n)
{
    return first <= ROOM_SAMPLES && n <= ROOM_SAMPLES - first;
}

static sd_status hear(const int16_t *from, uint32_t n, uint32_t *taken, sd_event *event)
{
#if SD_WEB_HAS_WINDOWS
    if (windows == SD_WEB_WINDOWS) {
        return sd_sliding_hear(&sliding, from, n, taken, event);
    }
#endif
    return sd_detector_hear(&detector, from, n, taken, event);
}

int32_t sd_web_hear(uint32_t first, uint32_t n)
{
    uint32_t taken = 0;
    sd_event event;
    sd_status status;
    if (!fits(first, n)) {
        return -(int32_t)SD_MEMORY_TOO_SMALL;
    }
    status = hear(samples + first, n, &taken, &event);
    if (status != SD_OK) {
        return -(int32_t)status;
    }
    heard.verdict = (int64_t)event.verdict;
    heard.word = event.word;
    heard.confidence = event.confidence;
    heard.start = (int64_t)event.start;
    heard.end = (int64_t)event.end;
    heard.decided = (int64_t)event.decided;
    return (int32_t)taken;
}

const sd_web_event *sd_web_heard(void)
{
    return &heard;
}

const int32_t *sd_web_logits(void)
{
#if SD_WEB_HAS_WINDOWS
    if (windows == SD_WEB_WINDOWS) {
        return sliding.logits;
    }
#endif
    return kept.logits;
}

int32_t sd_web_floor(void)
{
    return detector.endpoint.floor;
}

uint32_t sd_web_state(void)
{
    return detector.endpoint.state;
}

uint32_t sd_web_ram(void)
{
#if SD_WEB_HAS_WINDOWS
    if (windows == SD_WEB_WINDOWS) {
        return (uint32_t)(sizeof sliding + sizeof slid);
    }
#endif
    return (uint32_t)(sizeof recogniser + sizeof memory + sizeof detector + sizeof kept);
}

int32_t sd_web_repeat(uint32_t n)
{
    uint16_t word = 0;
    sd_status status = sd_recogniser_reset(&repeater);
    if (!fits(0, n)) {
        return -(int32_t)SD_MEMORY_TOO_SMALL;
    }
    if (status == SD_OK) {
        status = sd_recogniser_hear(&repeater, samples, n);
    }
    if (status == SD_OK || status == SD_CLIP_FULL) {
        status = sd_recogniser_result(&repeater, repeated_logits, &word);
    }
    return status == SD_OK ? (int32_t)word : -(int32_t)status;
}

uint32_t sd_web_look(uint32_t first, uint32_t n)
{
    const sd_frontend_spec *spec = MODEL.frontend;
    uint32_t taken;
    is_full = 0;
    if (!fits(first, n) || spec->n_mels > MOST_BANDS) {
        return n;
    }
    taken = sd_frontend_push(spec, &seen, samples + first, n);
    if (sd_frontend_ready(spec, &seen)) {
        sd_frontend_logs(spec, &seen, spectrum, bands);
        is_full = 1;
    }
    return taken;
}

const int16_t *sd_web_bands(void)
{
    return is_full ? bands : 0;
}
