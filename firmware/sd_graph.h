/* A network of operators on integers: frames of int8 features in, int32 logits out.
 *
 *     static sd_digits_memory memory;              (generated: all the RAM the graph needs)
 *     int32_t logits[SD_DIGITS_N_CLASSES];
 *
 *     sd_graph_reset(&sd_digits, &memory);
 *     while (next_frame(frame)) {
 *         sd_graph_push(&sd_digits, &memory, frame);
 *     }
 *     sd_graph_finish(&sd_digits, &memory, logits);
 *     word = sd_argmax(logits, SD_DIGITS_N_CLASSES);
 *
 * Either every clip has the same number of frames, and after each frame every node that has what it
 * needs runs once; of its results the memory holds only the frames that a later node still reads.
 * Or a clip may have any number of frames up to n_frames, and with each frame every node runs.
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

struct sd_graph;

/* What runs with a frame where clips have one length. */
typedef uint32_t (*sd_graph_pass)(const struct sd_graph *graph, uint8_t *memory,
                                  const int8_t *features);

/* An operator in its place. Step t reads the frames first + t stride, ..., window of them, of
 * every input; those before the first and after the last frame are zeros. Where clips may have any
 * number of frames, step t reads frame t of its only input. */
typedef struct {
    sd_operator run;
    const void *parameters;
    uint16_t output;      /* where in the memory its frames lie */
    uint16_t state;       /* where in the memory its state lies */
    uint16_t scratch;     /* where in the memory its scratch lies */
    uint16_t frame_bytes; /* of a frame of its output */
    uint16_t n_steps;     /* a clip */
    int16_t first;
    uint8_t window; /* 1 to SD_MAX_WINDOW; 1 where it has two inputs */
    uint8_t stride;
    uint8_t ring;     /* frames of its output that the memory holds */
    uint8_t n_inputs; /* 1 or 2 */
    uint8_t inputs[2];
    uint8_t pools; /* whether it gives one frame, by a step of its own when the clip has ended */
} sd_node;

/* Nodes in the order in which they run; the last one, once all others have, writes the logits. */
typedef struct sd_graph {
    const sd_node *nodes;
    sd_graph_pass pass; /* sd_graph_windows; 0: a clip may have any number of frames, even none */
    uint16_t n_frames;  /* of a clip, or the most that it may have */
    uint16_t n_cleared; /* words of the memory that are 0 when a clip begins */
    uint8_t n_nodes;
} sd_graph;

/* What the memory starts with: for the features, and, where clips have one length, for each node. */
typedef struct {
    uint16_t n_done; /* frames or steps of this clip */
    uint16_t slot;   /* of the ring, where the next frame goes */
} sd_progress;

/* One step of each node but the last that has all frames that it reads; returns how many have. */
uint32_t sd_graph_windows(const sd_graph *graph, uint8_t *memory, const int8_t *features);

typedef enum {
    SD_GRAPH_OK,
    SD_GRAPH_TOO_MANY_FRAMES, /* the clip takes no more: finish or reset */
    SD_GRAPH_TOO_FEW_FRAMES   /* the clip is not complete: push the rest */
} sd_graph_status;

/* Start a new clip. Call before the first frame. memory: aligned to 4 bytes. */
void sd_graph_reset(const sd_graph *graph, void *memory);

/* Process one frame of features. Any status but SD_GRAPH_OK leaves everything as it was. */
sd_graph_status sd_graph_push(const sd_graph *graph, void *memory, const int8_t *frame);

/* Frames since the reset. */
uint16_t sd_graph_n_done(const void *memory);

/* Write the logits of the clip, which must be complete unless it may have any length; then more
 * frames may follow. May be called again. */
sd_graph_status sd_graph_finish(const sd_graph *graph, void *memory, int32_t *logits);

#ifdef __cplusplus
}
#endif

#endif
