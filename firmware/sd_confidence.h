/* How sure a recogniser is of its word: softmax of its logits at a temperature.
 *
 * Twin of spoken_digits/integer/detector/confidence.py. */
#ifndef SD_CONFIDENCE_H
#define SD_CONFIDENCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SD_CERTAIN 10000u /* confidence of 1 */

typedef struct {
    uint32_t farthest; /* difference of logits from which on a class counts as
                          impossible */
    uint16_t scale;    /* a difference times scale, shifted, is octaves of
                          probability, Q8 */
    uint8_t shift;     /* at most 19 */
} sd_confidence_spec;

/* Probability of the class `word` with the greatest of n_classes logits, in
 * steps of 1 / SD_CERTAIN, rounded down: 1 to SD_CERTAIN for at most 10,000
 * classes. */
uint16_t sd_confidence(const sd_confidence_spec *spec, const int32_t *logits, uint16_t n_classes,
                       uint16_t word);

#ifdef __cplusplus
}
#endif

#endif
