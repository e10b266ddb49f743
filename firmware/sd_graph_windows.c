/* The schedule of a graph of windows: see sd_graph.h. */
#include "sd_graph.h"

/* Whether all frames that the next step of a node reads exist. */
static int is_ready(const sd_graph *graph, const sd_progress *all, uint32_t number)
{
    const sd_node *node = &graph->nodes[number];
    const int32_t step = all[number + 1u].n_done;
    const int32_t last = node->first + step * node->stride + node->window - 1;

    if (step == node->n_steps) {
        return 0;
    }
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const uint32_t input = node->inputs[i];
        const int32_t done = input == SD_FEATURES ? all[0].n_done : all[input + 1u].n_done;
        const int32_t total = input == SD_FEATURES ? graph->n_frames : graph->nodes[input].n_steps;
        if (last >= done && done < total) {
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
static void run(const sd_graph *graph, uint8_t *memory, uint32_t number, const int8_t *features)
{
    const sd_progress *all = (const sd_progress *)(const void *)memory;
    const sd_progress *done = &all[number + 1u];
    const sd_node *node = &graph->nodes[number];
    const void *frames[SD_MAX_WINDOW];
    sd_step step;
    uint32_t n = 0;

    step.frames = frames;
    step.output = &memory[node->output + (uint32_t)done->slot * node->frame_bytes];
    step.state = &memory[node->state];
    step.scratch = &memory[node->scratch];
    step.step = done->n_done;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        const uint32_t input = node->inputs[i];
        int32_t frame = node->first + (int32_t)step.step * node->stride;
        if (input == SD_FEATURES) {
            frames[n++] = features;
            continue;
        }
        for (uint32_t k = 0; k < node->window; k++) {
            frames[n++] = find_frame(&graph->nodes[input], &all[input + 1u], memory, frame++);
        }
    }
    node->run(node->parameters, &step);
}

uint32_t sd_graph_windows(const sd_graph *graph, uint8_t *memory, const int8_t *features)
{
    sd_progress *all = (sd_progress *)(void *)memory;
    uint32_t n_run = 0;

    for (uint32_t number = 0; number + 1u < graph->n_nodes; number++) {
        const sd_node *node = &graph->nodes[number];
        sd_progress *done = &all[number + 1u];
        if (is_ready(graph, all, number) == 0) {
            continue;
        }
        run(graph, memory, number, features);
        done->n_done++;
        done->slot++;
        if (done->slot == node->ring) {
            done->slot = 0;
        }
        n_run++;
    }
    return n_run;
}
