/* The schedule of a graph whose clips may have any number of frames: see sd_graph.h. */
#include "sd_graph.h"

uint32_t sd_graph_frames(const sd_graph *graph, uint8_t *memory, const int8_t *features)
{
    const sd_node *last = &graph->nodes[graph->n_nodes - 1u];
    const uint32_t number = (uint32_t)sd_graph_n_done(memory) - 1u;

    if (features == 0) {
        return 0;
    }
    for (const sd_node *node = graph->nodes; node != last; node++) {
        const uint32_t input = node->inputs[0];
        const void *frame = features;
        if (input != SD_FEATURES) {
            frame = &memory[graph->nodes[input].output];
        }
        sd_graph_run(node, memory, &frame, number, &memory[node->output]);
    }
    return 0;
}
