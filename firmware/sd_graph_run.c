/* A step of a node, as a function that no caller takes in: see sd_graph.h. */
#include "sd_graph.h"

void sd_graph_run(const sd_node *node, uint8_t *memory, const void *const *frames, uint32_t number,
                  void *output)
{
    sd_step step;

    step.frames = frames;
    step.output = output;
    step.state = &memory[node->state];
    step.scratch = &memory[node->scratch];
    step.step = (uint16_t)number;
    node->run(node->parameters, &step);
}
