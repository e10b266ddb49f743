/* Recogniser on the host, for comparison with its Python twin: built as a shared library with a
 * generated model that model.h names. */
#include "model.h"

/* Logits of one clip, heard in blocks whose sizes repeat: n_blocks of them, not all 0. Returns
 * SD_OK, SD_CLIP_FULL if samples were ignored, or the status that ended it. */
int32_t sd_host_recognise(const int16_t *samples, uint32_t n_samples, const uint32_t *blocks,
                          uint32_t n_blocks, int32_t *logits, uint16_t *word);

int32_t sd_host_recognise(const int16_t *samples, uint32_t n_samples, const uint32_t *blocks,
                          uint32_t n_blocks, int32_t *logits, uint16_t *word)
{
    static sd_recogniser recogniser;
    static MODEL_MEMORY memory;
    sd_status status = SD_OK, result;
    uint32_t done = 0, i = 0;

    /* a recogniser is ready for a clip after either */
    result = recogniser.model == 0 ? sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory,
                                                        (uint32_t)sizeof memory)
                                   : sd_recogniser_reset(&recogniser);
    while (result == SD_OK && done < n_samples) {
        const uint32_t left = n_samples - done, block = blocks[i++ % n_blocks];
        const uint32_t n = left < block ? left : block;
        const sd_status heard = sd_recogniser_hear(&recogniser, samples + done, n);
        if (heard == SD_CLIP_FULL) {
            status = SD_CLIP_FULL;
        } else if (heard != SD_OK) {
            return (int32_t)heard;
        }
        done += n;
    }
    if (result == SD_OK) {
        result = sd_recogniser_result(&recogniser, logits, word);
    }
    return (int32_t)(result == SD_OK ? status : result);
}
