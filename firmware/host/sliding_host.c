/* Sliding window on the host, for comparison with its Python twin: built as a shared library with a
 * generated model and its window. */
#include "sliding.h"

/* One event, and how it reads in NumPy: six int64. */
typedef struct {
    int64_t verdict, word, confidence, start, end, decided;
} sd_host_event;

static sd_sliding sliding;
static SLIDING_MEMORY memory;

/* Start listening with another threshold, or that of the spec if it is negative. */
int32_t sd_host_slide_from_now(int32_t threshold);
/* As if so many more samples had been heard. */
void sd_host_slide_later(uint64_t n_samples);
/* Take samples in blocks whose sizes repeat; write at most n_most events, and, unless logits is
 * null, those of at most n_most_windows windows. Returns how many events there were, or minus a
 * status; n_windows: how many windows, if logits is not null. */
int64_t sd_host_slide(const int16_t *samples, uint64_t n_samples, const uint32_t *blocks,
                      uint32_t n_blocks, sd_host_event *events, uint64_t n_most, int32_t *logits,
                      uint64_t n_most_windows, uint64_t *n_windows);
uint32_t sd_host_slide_bytes(void); /* of the sd_sliding and its memory */

int32_t sd_host_slide_from_now(int32_t threshold)
{
    static sd_sliding_spec spec;
    spec = SLIDING;
    if (threshold >= 0) {
        spec.threshold = (uint16_t)threshold;
    }
    return (int32_t)sd_sliding_init(&sliding, &spec, SLIDING_ID, &memory, (uint32_t)sizeof memory);
}

void sd_host_slide_later(uint64_t n_samples)
{
    sliding.n_heard += n_samples;
}

static void copy_logits(int32_t *to)
{
    uint32_t c;
    for (c = 0; c < SLIDING.model->n_classes; c++) {
        to[c] = sliding.logits[c];
    }
}

int64_t sd_host_slide(const int16_t *samples, uint64_t n_samples, const uint32_t *blocks,
                      uint32_t n_blocks, sd_host_event *events, uint64_t n_most, int32_t *logits,
                      uint64_t n_most_windows, uint64_t *n_windows)
{
    uint64_t done = 0, n_events = 0;
    uint32_t i = 0;
    *n_windows = 0;
    while (done < n_samples) {
        const uint64_t left = n_samples - done;
        uint32_t n = blocks[i++ % n_blocks];
        n = left < n ? (uint32_t)left : n;
        while (n > 0u) {
            uint32_t taken;
            sd_event event;
            /* no further than to the next window, where its logits are wanted */
            const uint32_t most = logits == 0 || n < sliding.left ? n : sliding.left;
            const int completes = logits != 0 && most == sliding.left;
            const sd_status status =
                sd_sliding_hear(&sliding, samples + done, most, &taken, &event);
            if (status != SD_OK) {
                return -(int64_t)status;
            }
            done += taken;
            n -= taken;
            if (completes) {
                if (*n_windows < n_most_windows) {
                    copy_logits(logits + *n_windows * SLIDING.model->n_classes);
                }
                (*n_windows)++;
            }
            if (event.verdict != SD_NOTHING) {
                if (n_events < n_most) {
                    const sd_host_event found = {(int64_t)event.verdict, event.word,
                                                 event.confidence,       (int64_t)event.start,
                                                 (int64_t)event.end,     (int64_t)event.decided};
                    events[n_events] = found;
                }
                n_events++;
            }
        }
    }
    return (int64_t)n_events;
}

uint32_t sd_host_slide_bytes(void)
{
    return (uint32_t)(sizeof sliding + sizeof memory);
}
