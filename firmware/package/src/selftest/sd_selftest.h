/* The golden vectors on your own board: clips and a stream, compared with the Python twin, every
 * logit and every event.
 *
 *     static MODEL_MEMORY memory;          (those of the application, before it uses them)
 *     static DETECTOR_MEMORY kept;
 *
 *     if (sd_selftest(&memory, &kept, 0) != 0) {
 *         ... this compiler or board gives other bits: do not ship ...
 *     }
 *
 * Takes the flash of the clips in golden.c. A product that does not call it can do without this
 * folder. */
#ifndef SD_SELFTEST_H
#define SD_SELFTEST_H

#include "detector.h"
#include "golden.h"
#include "golden_events.h"
#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Told of each clip and event. what: the clip's name, or "stream"; word: what was recognised, ""
 * for nothing; differs: 1 if anything is not as in Python, else 0. */
typedef void (*sd_selftest_show)(const char *what, const char *word, int differs);

/* How many of the GOLDEN_N_CLIPS clips differ. show may be null. */
uint32_t sd_selftest_clips(MODEL_MEMORY *memory, sd_selftest_show show);

/* How many events of the stream differ, or are too many or missing: GOLDEN_N_EVENTS are expected.
 * The stream is the clips with a second of silence before each and after the last. */
uint32_t sd_selftest_events(MODEL_MEMORY *memory, DETECTOR_MEMORY *kept, sd_selftest_show show);

/* Both together: 0 if all is equal. */
uint32_t sd_selftest(MODEL_MEMORY *memory, DETECTOR_MEMORY *kept, sd_selftest_show show);

#ifdef __cplusplus
}
#endif

#endif
