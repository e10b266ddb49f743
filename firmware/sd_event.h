/* What a detector reports: a word, or why a sound is none. */
#ifndef SD_EVENT_H
#define SD_EVENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SD_NOTHING = 0,
    SD_WORD,       /* a word, to be acted on */
    SD_TOO_SHORT,  /* shorter than a word */
    SD_TOO_LONG,   /* longer than a word; sound that goes on is reported once */
    SD_NOT_A_WORD, /* recognised as silence, noise or an unknown word */
    SD_UNSURE,     /* the recogniser is less confident than the threshold */
    SD_TOO_SOON    /* a word within the refractory time of the one before */
} sd_verdict;

/* What was heard; samples are counted from the beginning. */
typedef struct {
    uint64_t start;   /* first sample of the sound, as heard by the recogniser */
    uint64_t end;     /* sample after its last one */
    uint64_t decided; /* sample after the one that decided it */
    sd_verdict verdict;
    int32_t word;        /* class the recogniser chose, -1 where it was not asked */
    uint16_t confidence; /* 0 to SD_CERTAIN; 0 where it was not asked */
} sd_event;

/* No event. */
static inline void sd_event_clear(sd_event *event)
{
    event->verdict = SD_NOTHING;
    event->word = -1;
    event->confidence = 0;
    event->start = event->end = event->decided = 0;
}

#ifdef __cplusplus
}
#endif

#endif
