/* Graph on the host, for comparison with its Python twin: built as a shared library with a
 * generated model called sd_model. */
#include "sd_model.h"

/* Logits of one clip: n_frames rows of SD_MODEL_N_INPUTS features. Returns the first status that
 * is not SD_GRAPH_OK; then the logits are not written. */
int32_t sd_host_logits(const int8_t *frames, uint32_t n_frames, int32_t *logits);

int32_t sd_host_logits(const int8_t *frames, uint32_t n_frames, int32_t *logits)
{
    static sd_model_memory memory;

    sd_graph_reset(&sd_model, &memory);
    while (n_frames-- > 0u) {
        const sd_graph_status status = sd_graph_push(&sd_model, &memory, frames);
        if (status != SD_GRAPH_OK) {
            return (int32_t)status;
        }
        frames += SD_MODEL_N_INPUTS;
    }
    return (int32_t)sd_graph_finish(&sd_model, &memory, logits);
}
