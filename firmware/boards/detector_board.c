/* Board program: a stream of samples in, events out, through the detector that
 * detector.h names and the model that model.h names.
 *
 * input.bin   int16 samples; what does not fill a frame is left out
 * output.bin  for each event: verdict, word, confidence, start, end, decided,
 * six int64 report.txt  frames, frame_instructions_max (a frame of which the
 * recogniser hears nothing: all of it, copying included), word_instructions_max
 * (any frame), stack_bytes, detector_bytes (beside ring and logits), ring_bytes
 */
#include "board.h"
#include "detector.h"
#include "model.h"

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;
static int16_t block[SD_FRAME_MAX_SAMPLES];

static void write_event(const sd_event *event)
{
    const int64_t row[6] = {(int64_t)event->verdict, event->word,         event->confidence,
                            (int64_t)event->start,   (int64_t)event->end, (int64_t)event->decided};
    board_write(row, sizeof row);
}

int main(void)
{
    const uint32_t n_bytes = 2u * (uint32_t)DETECTOR.endpoint.frame_length;
    uint32_t n_frames = 0, most_waiting = 0, most = 0;
    sd_status status;

    board_stack_paint();
    status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, sizeof memory);
    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    while (status == SD_OK && board_read(block, n_bytes) == n_bytes) {
        uint32_t taken, count;
        sd_event event;
        const int was_waiting = detector.endpoint.state == SD_WAITING;
        board_count_start();
        status = sd_detector_hear(&detector, block, n_bytes / 2u, &taken, &event);
        count = board_count_stop();
        most = count > most ? count : most;
        if (was_waiting && detector.endpoint.state == SD_WAITING) {
            most_waiting = count > most_waiting ? count : most_waiting;
        }
        if (event.verdict != SD_NOTHING) {
            write_event(&event);
        }
        n_frames++;
    }
    board_report("frames", n_frames);
    board_report("frame_instructions_max", most_waiting);
    board_report("word_instructions_max", most);
    board_report("stack_bytes", board_stack_used());
    board_report("detector_bytes", sizeof detector);
    board_report("ring_bytes", sizeof kept.samples);
    return (int)status;
}
