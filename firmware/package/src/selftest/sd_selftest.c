#include "sd_selftest.h"

enum { BLOCK_SAMPLES = 64 }; /* as a microphone would deliver them */

/* Hear a whole clip, and answer. */
static sd_status recognise(sd_recogniser *recogniser, const golden_clip *clip, int32_t *logits,
                           uint16_t *word)
{
    uint32_t done;
    sd_status status = sd_recogniser_reset(recogniser);

    for (done = 0; status == SD_OK && done < clip->n_samples; done += BLOCK_SAMPLES) {
        const uint32_t left = clip->n_samples - done;
        status = sd_recogniser_hear(recogniser, clip->pcm + done,
                                    left < BLOCK_SAMPLES ? left : BLOCK_SAMPLES);
    }
    if (status == SD_OK || status == SD_CLIP_FULL) { /* full: the rest of the clip is not needed */
        status = sd_recogniser_result(recogniser, logits, word);
    }
    return status;
}

/* 1 if the answer differs from the golden one, else 0. */
static uint32_t check(sd_recogniser *recogniser, const golden_clip *clip, sd_selftest_show show)
{
    int32_t logits[MODEL_N_CLASSES];
    uint16_t word = 0, i;
    const sd_status status = recognise(recogniser, clip, logits, &word);
    int differs = status != SD_OK;

    for (i = 0; status == SD_OK && i < MODEL_N_CLASSES; i++) {
        differs |= logits[i] != clip->logits[i];
    }
    if (show != 0) {
        show(clip->utterance, status == SD_OK ? MODEL.labels[word] : "", differs);
    }
    return (uint32_t)differs;
}

uint32_t sd_selftest_clips(MODEL_MEMORY *memory, sd_selftest_show show)
{
    sd_recogniser recogniser = {0};
    uint32_t i, n_different = 0;

    if (sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, memory, (uint32_t)sizeof *memory) !=
        SD_OK) {
        return GOLDEN_N_CLIPS;
    }
    for (i = 0; i < GOLDEN_N_CLIPS; i++) {
        n_different += check(&recogniser, &golden_clips[i], show);
    }
    return n_different;
}

typedef struct {
    sd_detector detector;
    uint32_t n_events, n_different;
    sd_selftest_show show;
} stream;

static int is_golden(const sd_event *event, uint32_t i)
{
    const golden_event *right = &golden_events[i];
    return i < GOLDEN_N_EVENTS && (uint32_t)event->verdict == right->verdict &&
           event->word == right->word && event->confidence == right->confidence &&
           event->start == right->start && event->end == right->end &&
           event->decided == right->decided;
}

static void compare(stream *heard, const sd_event *event)
{
    const int differs = !is_golden(event, heard->n_events);
    heard->n_events++;
    heard->n_different += (uint32_t)differs;
    if (heard->show != 0) {
        heard->show("stream", event->word >= 0 ? MODEL.labels[event->word] : "", differs);
    }
}

/* Take n samples; of silence if there are none. */
static sd_status hear(stream *heard, const int16_t *samples, uint32_t n)
{
    static const int16_t silence[BLOCK_SAMPLES];
    sd_status status = SD_OK;

    while (status == SD_OK && n > 0u) {
        uint32_t taken;
        sd_event event;
        const uint32_t block = n < BLOCK_SAMPLES ? n : BLOCK_SAMPLES;
        status = sd_detector_hear(&heard->detector, samples == 0 ? silence : samples, block,
                                  &taken, &event);
        if (status == SD_OK) {
            n -= taken;
            samples = samples == 0 ? 0 : samples + taken;
            if (event.verdict != SD_NOTHING) {
                compare(heard, &event);
            }
        }
    }
    return status;
}

uint32_t sd_selftest_events(MODEL_MEMORY *memory, DETECTOR_MEMORY *kept, sd_selftest_show show)
{
    sd_recogniser recogniser = {0};
    stream heard = {0};
    uint32_t i;
    sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, memory, (uint32_t)sizeof *memory);

    heard.show = show;
    if (status == SD_OK) {
        status = sd_detector_init(&heard.detector, &DETECTOR, &recogniser, kept->samples,
                                  kept->logits);
    }
    for (i = 0; status == SD_OK && i < GOLDEN_N_CLIPS; i++) {
        status = hear(&heard, 0, DETECTOR.sample_rate);
        if (status == SD_OK) {
            status = hear(&heard, golden_clips[i].pcm, golden_clips[i].n_samples);
        }
    }
    if (status == SD_OK) {
        status = hear(&heard, 0, DETECTOR.sample_rate);
    }
    if (status != SD_OK) {
        return GOLDEN_N_EVENTS + 1u;
    }
    return heard.n_different +
           (heard.n_events < GOLDEN_N_EVENTS ? GOLDEN_N_EVENTS - heard.n_events : 0u);
}

uint32_t sd_selftest(MODEL_MEMORY *memory, DETECTOR_MEMORY *kept, sd_selftest_show show)
{
    return sd_selftest_clips(memory, show) + sd_selftest_events(memory, kept, show);
}
