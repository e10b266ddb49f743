/* Clips through a graph: see sd_graph.h. */
#include "sd_graph.h"

void sd_graph_reset(const sd_graph *graph, void *memory)
{
    uint32_t *word = memory;

    for (const uint32_t *end = word + graph->n_cleared; word != end; word++) {
        *word = 0;
    }
}

sd_graph_status sd_graph_push(const sd_graph *graph, void *memory, const int8_t *frame)
{
    sd_progress *features = memory;

    if (features->n_done == graph->n_frames) {
        return SD_GRAPH_TOO_MANY_FRAMES;
    }
    features->n_done++;
    (void)graph->pass(graph, memory, frame);
    return SD_GRAPH_OK;
}

uint16_t sd_graph_n_done(const void *memory)
{
    return ((const sd_progress *)memory)->n_done;
}

sd_graph_status sd_graph_finish(const sd_graph *graph, void *memory, int32_t *logits)
{
    const sd_node *last = &graph->nodes[graph->n_nodes - 1u];
    const sd_node *pool = &graph->nodes[last->inputs[0]];
    void *pooled = (uint8_t *)memory + pool->output;
    const void *frame = 0;
    const uint16_t n_done = sd_graph_n_done(memory);

    if (n_done < graph->n_least) {
        return SD_GRAPH_TOO_FEW_FRAMES;
    }
    while (graph->pass(graph, memory, 0) != 0u) {
    }
    sd_graph_run(pool, memory, &frame, n_done, pooled);
    frame = pooled;
    sd_graph_run(last, memory, &frame, 0, logits);
    return SD_GRAPH_OK;
}
