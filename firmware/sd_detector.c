/* Listening for hours: see sd_detector.h. */
#include "sd_detector.h"

sd_status sd_detector_init(sd_detector *detector, const sd_detector_spec *spec,
                           sd_recogniser *recogniser, int16_t *kept, int32_t *logits)
{
    sd_status status;
    if (detector == 0 || spec == 0 || recogniser == 0 || kept == 0 || logits == 0) {
        return SD_NULL_POINTER;
    }
    status = sd_recogniser_hear(recogniser, 0, 0); /* nothing: to learn whether it could */
    if (status != SD_OK && status != SD_ALREADY_ANSWERED) {
        return status;
    }
    if (recogniser->model->id != spec->model_id ||
        recogniser->model->n_classes != spec->n_classes) {
        return SD_OTHER_MODEL;
    }
    (void)sd_recogniser_reset(recogniser);
    detector->spec = spec;
    detector->recogniser = recogniser;
    detector->kept = kept;
    detector->logits = logits;
    detector->passed = 0;
    detector->free_from = 0;
    detector->slot = 0;
    detector->n_filled = 0;
    sd_endpoint_reset(&detector->endpoint);
    return SD_OK;
}

/* The recogniser hears all frames of the word that it has not heard. None is
 * older than the ring: before a word begins that is pre_roll + onset_frames,
 * and later hangover - post_roll. */
static sd_status pass_on(sd_detector *detector)
{
    const sd_endpoint_spec *spec = &detector->spec->endpoint;
    sd_status status = SD_OK;
    while (status == SD_OK && detector->passed < detector->endpoint.end) {
        const uint32_t age = (uint32_t)(detector->endpoint.n_frames - 1u - detector->passed);
        const uint32_t slot =
            detector->slot >= age ? detector->slot - age : detector->slot + spec->ring_frames - age;
        status = sd_recogniser_hear(detector->recogniser,
                                    detector->kept + slot * (uint32_t)spec->frame_length,
                                    spec->frame_length);
        if (status == SD_CLIP_FULL) {
            status = SD_OK; /* the model has heard enough */
        }
        detector->passed++;
    }
    return status;
}

static sd_verdict judge(const sd_detector *detector, const sd_event *event)
{
    const sd_detector_spec *spec = detector->spec;
    if (spec->silent[event->word] != 0u) {
        return SD_NOT_A_WORD;
    }
    if (event->confidence < spec->threshold) {
        return SD_UNSURE;
    }
    return event->start < detector->free_from ? SD_TOO_SOON : SD_WORD;
}

static sd_status recognise(sd_detector *detector, sd_event *event)
{
    const sd_detector_spec *spec = detector->spec;
    uint16_t word;
    const sd_status status = sd_recogniser_result(detector->recogniser, detector->logits, &word);
    if (status != SD_OK) {
        return status;
    }
    event->word = word;
    event->confidence = sd_confidence(&spec->confidence, detector->logits, spec->n_classes, word);
    event->verdict = judge(detector, event);
    if (event->verdict == SD_WORD) {
        detector->free_from = event->end + spec->refractory;
    }
    return SD_OK;
}

/* Judge the frame that has been filled. */
static sd_status end_frame(sd_detector *detector, sd_event *event)
{
    const sd_endpoint_spec *spec = &detector->spec->endpoint;
    sd_endpoint *endpoint = &detector->endpoint;
    const uint32_t length = spec->frame_length;
    const int32_t level = sd_endpoint_level(detector->kept + detector->slot * length, length);
    const sd_change change = sd_endpoint_step(spec, endpoint, level);
    sd_status status = SD_OK;

    if (change == SD_BEGAN) {
        status = sd_recogniser_reset(detector->recogniser);
        detector->passed = endpoint->start;
    }
    if (status == SD_OK && (endpoint->state == SD_IN_WORD || change == SD_ENDED)) {
        status = pass_on(detector);
    }
    if (status != SD_OK || change == SD_NO_CHANGE || change == SD_BEGAN) {
        return status;
    }
    event->start = endpoint->start * length;
    event->end = endpoint->end * length;
    event->decided = endpoint->n_frames * length;
    if (change == SD_ENDED) {
        return recognise(detector, event);
    }
    event->verdict = change == SD_WAS_TOO_SHORT ? SD_TOO_SHORT : SD_TOO_LONG;
    return SD_OK;
}

/* Copy samples into the frame that is being filled; returns how many of
 * n_samples fitted. */
static uint32_t fill(sd_detector *detector, const int16_t *samples, uint32_t n_samples)
{
    const uint32_t length = detector->spec->endpoint.frame_length;
    const uint32_t room = length - detector->n_filled;
    const uint32_t n = n_samples < room ? n_samples : room;
    int16_t *to = detector->kept + detector->slot * length + detector->n_filled;
    const int16_t *const end = samples + n;
    while (samples != end) {
        *to++ = *samples++;
    }
    detector->n_filled = (uint16_t)(detector->n_filled + n);
    return n;
}

sd_status sd_detector_hear(sd_detector *detector, const int16_t *samples, uint32_t n_samples,
                           uint32_t *n_taken, sd_event *event)
{
    sd_status status = SD_OK;
    uint32_t done = 0;

    if (detector == 0 || n_taken == 0 || event == 0 || (samples == 0 && n_samples > 0u)) {
        return SD_NULL_POINTER;
    }
    if (detector->spec == 0) {
        return SD_NOT_INITIALISED;
    }
    sd_event_clear(event);
    while (status == SD_OK && done < n_samples && event->verdict == SD_NOTHING) {
        done += fill(detector, samples + done, n_samples - done);
        if (detector->n_filled == detector->spec->endpoint.frame_length) {
            status = end_frame(detector, event);
            detector->n_filled = 0;
            detector->slot++;
            if (detector->slot == detector->spec->endpoint.ring_frames) {
                detector->slot = 0;
            }
        }
    }
    *n_taken = done;
    return status;
}
