/* Network on the host, for comparison with its Python twin: built as a shared library with a
 * generated model called sd_model. */
#include "sd_model.h"

/* Logits of one clip: n_frames rows of SD_MODEL_N_INPUTS features. */
void sd_host_logits(const int8_t *frames, uint32_t n_frames, int32_t *logits);

void sd_host_logits(const int8_t *frames, uint32_t n_frames, int32_t *logits)
{
    sd_model_memory memory;
    sd_network_state state = SD_STATE(memory);

    sd_network_reset(&sd_model, &state);
    while (n_frames-- > 0u) {
        sd_network_push(&sd_model, &state, frames);
        frames += SD_MODEL_N_INPUTS;
    }
    sd_network_finish(&sd_model, &state, logits);
}
