/* A recogniser made of operators on integers: frames of int8 features in, int32 logits out.
 *
 *     static sd_digits_memory memory;              (generated: all the RAM the graph needs)
 *     int32_t logits[SD_DIGITS_N_CLASSES];
 *
 *     sd_graph_reset(&sd_digits, &memory);
 *     for (i = 0; i < SD_DIGITS_N_FRAMES; i++) {
 *         next_frame(frame);
 *         sd_graph_push(&sd_digits, &memory, frame);
 *     }
 *     sd_graph_finish(&sd_digits, &memory, logits);
 *     word = sd_argmax(logits, SD_DIGITS_N_CLASSES);
 *
 * Every clip has the same number of frames. After each, every node that has what it needs runs
 * once; of its results the memory holds only the frames that a later node still reads.
 *
 * No allocation, no floating point, no recursion. The caller owns all memory; a graph is constant
 * and may be shared by any number of memories. Twin of spoken_digits/integer/graph.py, which
 * defines the arithmetic; equal bit for bit. Made by spoken_digits/embedded/emit/graph.py, which
 * also proves that no frame is overwritten while it is needed. */
#ifndef SD_GRAPH_H
#define SD_GRAPH_H

#include <stdint.h>

#include "sd_argmax.h"
#include "sd_operators.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SD_FEATURES = 255 }; /* as the input of a node: the features of the clip */

/* An operator in its place. Step t reads the frames first + t stride, ..., window of them, of
 * every input; those before the first and after the last frame are zeros. */
typedef struct {
    sd_operator run;
    const void *parameters;
    uint32_t output;      /* where in the memory its frames lie */
    uint32_t scratch;     /* where in the memory its scratch lies */
    uint32_t frame_bytes; /* of a frame of its output */
    uint16_t n_steps;     /* a clip */
    int16_t first;
    uint8_t window; /* 1 to SD_MAX_WINDOW; 1 where it has two inputs */
    uint8_t stride;
    uint8_t ring;     /* frames of its output that the memory holds */
    uint8_t n_inputs; /* 1 or 2 */
    uint8_t inputs[2];
} sd_node;

/* Nodes in the order in which they run; the last one writes the logits. */
typedef struct {
    const sd_node *nodes;
    uint16_t n_frames; /* of a clip */
    uint8_t n_nodes;
} sd_graph;

typedef enum {
    SD_GRAPH_OK,
    SD_GRAPH_TOO_MANY_FRAMES, /* the clip is complete: finish or reset */
    SD_GRAPH_TOO_FEW_FRAMES   /* the clip is not complete: push the rest */
} sd_graph_status;

/* Start a new clip. Call before the first frame. memory: aligned to 4 bytes. */
void sd_graph_reset(const sd_graph *graph, void *memory);

/* Process one frame of features. Any status but SD_GRAPH_OK leaves everything as it was. */
sd_graph_status sd_graph_push(const sd_graph *graph, void *memory, const int8_t *frame);

/* Write the logits of a complete clip; may be called again. */
sd_graph_status sd_graph_finish(const sd_graph *graph, void *memory, int32_t *logits);

#ifdef __cplusplus
}
#endif

#endif
