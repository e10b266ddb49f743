/* Where a word begins and ends: levels of frames against an adaptive noise
 * floor.
 *
 * Twin of spoken_digits/integer/detector/endpoint.py, which describes the three
 * states; equal in every decision. sd_detector.h uses it; it can be used alone:
 *
 *     static sd_endpoint endpoint;                            (zero, or
 * sd_endpoint_reset) for each frame of spec->frame_length samples: change =
 * sd_endpoint_step(spec, &endpoint, sd_endpoint_level(frame, length));
 *         ... endpoint.start and endpoint.end are counted in frames ...
 */
#ifndef SD_ENDPOINT_H
#define SD_ENDPOINT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SD_FRAME_MAX_SAMPLES 1024u

/* Levels are log2 of a power, Q8; durations are frames. Generated. */
typedef struct {
    int32_t fall, rise;    /* share of the way to the level that the floor goes in a
                              frame, Q12 */
    int32_t creep;         /* rise of the floor in a loud frame, Q12 */
    int32_t onset, offset; /* above the floor */
    int32_t drop;          /* below the peak */
    int32_t quietest;      /* no word below this level */
    uint16_t frame_length; /* samples, 1 to SD_FRAME_MAX_SAMPLES */
    uint16_t onset_frames; /* 1 to 2^15 - 1, as the others below */
    uint16_t pre_roll;     /* 0 or more */
    uint16_t post_roll;    /* 0 or more */
    uint16_t hangover;     /* at least 1 and post_roll */
    uint16_t shortest;     /* 0 or more */
    uint16_t longest;      /* at least onset_frames */
    uint16_t ring_frames;  /* that must be kept, the latest among them */
} sd_endpoint_spec;

typedef enum {
    SD_NO_CHANGE = 0,
    SD_BEGAN,         /* a word: `pre_roll` frames before its first loud one */
    SD_ENDED,         /* the word, `hangover` frames ago */
    SD_WAS_TOO_SHORT, /* the sound that had begun has ended, and was no word */
    SD_IS_TOO_LONG    /* the sound that had begun is no word, and goes on */
} sd_change;

typedef enum { SD_WAITING = 0, SD_IN_WORD, SD_OVERLONG } sd_endpoint_state;

/* Zero before the first frame. Frames are counted in 64 bits: for ever. */
typedef struct {
    uint64_t n_frames; /* so far */
    uint64_t start;    /* first frame of the sound that has begun */
    uint64_t end;      /* frame after its last one, as far as known; of the last sound */
    int32_t floor;     /* noise floor, log2, Q12 */
    int32_t peak;      /* loudest level of the sound */
    uint16_t loud;     /* frames of the sound up to its last loud one */
    uint16_t quiet;    /* frames since */
    uint8_t state;     /* sd_endpoint_state */
} sd_endpoint;

void sd_endpoint_reset(sd_endpoint *endpoint);

/* Level of a frame: log2 of n_samples^2 times its variance, Q8, below 2^14; 0
 * if that is 0. n_samples: 1 to SD_FRAME_MAX_SAMPLES. The constant part counts
 * for nothing. */
int32_t sd_endpoint_level(const int16_t *samples, uint32_t n_samples);

/* Take the level of the next frame. */
sd_change sd_endpoint_step(const sd_endpoint_spec *spec, sd_endpoint *endpoint, int32_t level);

#ifdef __cplusplus
}
#endif

#endif
