/* The schedule of a graph of windows: see sd_graph.h. */
#include "sd_graph.h"

/* Whether all frames that the next step of a node reads exist. */
static int is_ready(const sd_graph *graph, const sd_progress *all, const sd_node *node,
                    int32_t step)
{
    const int32_t last = node->first + step * node->stride + node->window - 1;

    if (step == node->n_steps) {
        return 0;
    }
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const uint32_t input = node->inputs[i];
        const int32_t done = input == SD_FEATURES ? all[0].n_done : all[input + 1u].n_done;
        if (last >= done && (input == SD_FEATURES || done < graph->nodes[input].n_steps)) {
            return 0;
        }
    }
    return 1;
}

/* A frame of a node's output, or 0 beyond either end of the clip. */
static const void *find_frame(const sd_node *node, const sd_progress *done, const uint8_t *memory,
                              int32_t frame)
{
    int32_t slot = (int32_t)done->slot - ((int32_t)done->n_done - frame);

    if (frame < 0 || frame >= node->n_steps) {
        return 0;
    }
    if (slot < 0) {
        slot += node->ring;
    }
    return &memory[node->output + (uint32_t)slot * node->frame_bytes];
}

/* The next step of a node. */
static void run(const sd_graph *graph, uint8_t *memory, const sd_node *node,
                const sd_progress *done, const int8_t *features)
{
    const sd_progress *all = (const sd_progress *)(const void *)memory;
    const void *frames[SD_MAX_WINDOW];
    uint32_t n = 0;

    frames[0] = features; /* unless it reads nodes */
    for (uint32_t i = 0; i < node->n_inputs && node->inputs[i] != SD_FEATURES; i++) {
        const uint32_t input = node->inputs[i];
        int32_t frame = node->first + (int32_t)done->n_done * node->stride;
        for (uint32_t k = 0; k < node->window; k++) {
            frames[n++] = find_frame(&graph->nodes[input], &all[input + 1u], memory, frame++);
        }
    }
    sd_graph_run(node, memory, frames, done->n_done,
                 &memory[node->output + (uint32_t)done->slot * node->frame_bytes]);
}

uint32_t sd_graph_windows(const sd_graph *graph, uint8_t *memory, const int8_t *features)
{
    sd_progress *all = (sd_progress *)(void *)memory;
    sd_progress *done = all;
    const sd_node *last = &graph->nodes[graph->n_nodes - 1u];
    uint32_t n_run = 0;

    for (const sd_node *node = graph->nodes; node != last; node++) {
        done++;
        if (is_ready(graph, all, node, done->n_done) == 0) {
            continue;
        }
        run(graph, memory, node, done, features);
        done->n_done++;
        done->slot++;
        if (done->slot == node->ring) {
            done->slot = 0;
        }
        n_run++;
    }
    return n_run;
}
