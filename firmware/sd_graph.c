/* Clips through a graph: see sd_graph.h. */
#include "sd_graph.h"

/* A step of a node that reads one frame: 0 once the clip has ended. */
static void run(const sd_node *node, uint8_t *memory, const void *frame, uint16_t number,
                void *output)
{
    sd_step step;

    step.frames = &frame;
    step.output = output;
    step.state = &memory[node->state];
    step.scratch = &memory[node->scratch];
    step.step = number;
    node->run(node->parameters, &step);
}

/* The only frame that the input of a node holds. */
static const void *find_input(const sd_graph *graph, const uint8_t *memory, const sd_node *node)
{
    return &memory[graph->nodes[node->inputs[0]].output];
}

void sd_graph_reset(const sd_graph *graph, void *memory)
{
    uint32_t *word = memory;

    for (const uint32_t *end = word + graph->n_cleared; word != end; word++) {
        *word = 0;
    }
}

sd_graph_status sd_graph_push(const sd_graph *graph, void *memory, const int8_t *frame)
{
    const sd_node *last = &graph->nodes[graph->n_nodes - 1u];
    sd_progress *features = memory;
    const uint16_t number = features->n_done;

    if (number == graph->n_frames) {
        return SD_GRAPH_TOO_MANY_FRAMES;
    }
    features->n_done = (uint16_t)(number + 1u);
    if (graph->pass != 0) {
        (void)graph->pass(graph, memory, frame);
        return SD_GRAPH_OK;
    }
    for (const sd_node *node = graph->nodes; node != last; node++) {
        const void *input =
            node->inputs[0] == SD_FEATURES ? frame : find_input(graph, memory, node);
        run(node, memory, input, number, (uint8_t *)memory + node->output);
    }
    return SD_GRAPH_OK;
}

uint16_t sd_graph_n_done(const void *memory)
{
    return ((const sd_progress *)memory)->n_done;
}

sd_graph_status sd_graph_finish(const sd_graph *graph, void *memory, int32_t *logits)
{
    const sd_node *last = &graph->nodes[graph->n_nodes - 1u];
    const uint16_t n_done = sd_graph_n_done(memory);

    if (graph->pass != 0) {
        if (n_done != graph->n_frames) {
            return SD_GRAPH_TOO_FEW_FRAMES;
        }
        while (graph->pass(graph, memory, 0) != 0u) {
        }
    }
    for (const sd_node *node = graph->nodes; node != last; node++) {
        if (node->pools != 0u) {
            run(node, memory, 0, graph->pass != 0 ? node->n_steps : n_done,
                (uint8_t *)memory + node->output);
        }
    }
    run(last, memory, find_input(graph, memory, last), 0, logits);
    return SD_GRAPH_OK;
}
