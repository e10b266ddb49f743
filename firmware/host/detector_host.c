/* Detector on the host, for comparison with its Python twin: built as a shared
 * library with a generated model and detector. */
#include "detector.h"
#include "model.h"

/* One event, and how it reads in NumPy: six int64. */
typedef struct {
    int64_t verdict, word, confidence, start, end, decided;
} sd_host_event;

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;

/* Start listening with another threshold, or that of the spec if it is
 * negative. */
int32_t sd_host_listen(int32_t threshold);
/* Take samples in blocks whose sizes repeat; write at most n_most events.
 * Returns how many there were, or minus a status. */
int64_t sd_host_detect(const int16_t *samples, uint64_t n_samples, const uint32_t *blocks,
                       uint32_t n_blocks, sd_host_event *events, uint64_t n_most);
/* Changes of a stream of levels, by the endpointing part alone: for each,
 * sd_change, and start, end and n_frames in frames. Goes on from the state
 * given, zero at first. Returns how many. */
int64_t sd_host_endpoint(sd_endpoint *endpoint, const int32_t *levels, uint64_t n_levels,
                         int64_t *changes, uint64_t n_most);
int32_t sd_host_level(const int16_t *samples, uint32_t n_samples);
uint32_t sd_host_bytes(void); /* of the detector, without the ring and the logits */

int32_t sd_host_listen(int32_t threshold)
{
    static sd_detector_spec spec;
    sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);
    spec = DETECTOR;
    if (threshold >= 0) {
        spec.threshold = (uint16_t)threshold;
    }
    if (status == SD_OK) {
        status = sd_detector_init(&detector, &spec, &recogniser, kept.samples, kept.logits);
    }
    return (int32_t)status;
}

int64_t sd_host_detect(const int16_t *samples, uint64_t n_samples, const uint32_t *blocks,
                       uint32_t n_blocks, sd_host_event *events, uint64_t n_most)
{
    uint64_t done = 0, n_events = 0;
    uint32_t i = 0;
    while (done < n_samples) {
        const uint64_t left = n_samples - done;
        uint32_t n = blocks[i++ % n_blocks];
        n = left < n ? (uint32_t)left : n;
        while (n > 0u) {
            uint32_t taken;
            sd_event event;
            const sd_status status = sd_detector_hear(&detector, samples + done, n, &taken, &event);
            if (status != SD_OK) {
                return -(int64_t)status;
            }
            done += taken;
            n -= taken;
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

int64_t sd_host_endpoint(sd_endpoint *endpoint, const int32_t *levels, uint64_t n_levels,
                         int64_t *changes, uint64_t n_most)
{
    uint64_t i, n_changes = 0;
    for (i = 0; i < n_levels; i++) {
        const sd_change change = sd_endpoint_step(&DETECTOR.endpoint, endpoint, levels[i]);
        if (change > SD_BEGAN) {
            if (n_changes < n_most) {
                int64_t *row = changes + 4u * n_changes;
                row[0] = (int64_t)change;
                row[1] = (int64_t)endpoint->start;
                row[2] = (int64_t)endpoint->end;
                row[3] = (int64_t)endpoint->n_frames;
            }
            n_changes++;
        }
    }
    return (int64_t)n_changes;
}

int32_t sd_host_level(const int16_t *samples, uint32_t n_samples)
{
    return sd_endpoint_level(samples, n_samples);
}

uint32_t sd_host_bytes(void)
{
    return (uint32_t)sizeof(sd_detector);
}
