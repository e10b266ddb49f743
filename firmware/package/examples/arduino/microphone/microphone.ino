// Words from the PDM microphone of an Arduino Nano 33 BLE Sense, or of another board with PDM.h.
// Open the serial monitor at 115,200 and speak.
#include <PDM.h>

#include <@@name@@_model.h> // tells Arduino which library this is; nothing below names the model

#include <detector.h>
#include <engine/sd_decimator.h>
#include <engine/sd_ring.h>
#include <model.h>

#define MICROPHONE_RATE 16000 // the Nano's PDM knows 16,000 and 41,667 Hz
#if MODEL_SAMPLE_RATE != MICROPHONE_RATE && 2 * MODEL_SAMPLE_RATE != MICROPHONE_RATE
#error "The microphone gives 16 kHz: this example is for models of 8 or 16 kHz."
#endif

static sd_recogniser recogniser;
static MODEL_MEMORY memory;
static sd_detector detector;
static DETECTOR_MEMORY kept;

static sd_decimator decimator;
static sd_ring ring;
static int16_t waiting[16384]; // a second: what comes in while the network runs

// An interrupt: only puts the samples aside.
static void receive()
{
    static int16_t arrived[256]; // PDM's own buffer: 512 bytes
    int n_bytes = PDM.available();
    if (n_bytes > (int)sizeof arrived) {
        n_bytes = (int)sizeof arrived;
    }
    PDM.read(arrived, (size_t)n_bytes);
    (void)sd_ring_write(&ring, arrived, (uint32_t)n_bytes / 2u);
}

static void stop(const char *why, int status)
{
    Serial.print(why);
    Serial.println(status);
    while (true) {
        delay(1000);
    }
}

void setup()
{
    Serial.begin(115200);
    while (!Serial) {
    }
    sd_status status =
        sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, (uint32_t)sizeof memory);
    if (status == SD_OK) {
        status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
    }
    if (status != SD_OK) {
        stop("see sd_status: ", status);
    }
    sd_decimator_reset(&decimator);
    (void)sd_ring_init(&ring, waiting, sizeof waiting / sizeof *waiting);
    PDM.onReceive(receive);
    if (!PDM.begin(1, MICROPHONE_RATE)) {
        stop("no microphone at Hz: ", MICROPHONE_RATE);
    }
    Serial.println("listening");
}

static void show(const sd_event &event)
{
    Serial.print((unsigned long)(event.start * 1000u / DETECTOR.sample_rate));
    Serial.print(" ms: ");
    Serial.print(MODEL.labels[event.word]);
    Serial.print(" (");
    Serial.print((unsigned)event.confidence);
    Serial.print(" of ");
    Serial.print((unsigned)SD_CERTAIN);
    Serial.println(")");
}

void loop()
{
    static uint32_t lost;
    int16_t block[160];
    const int16_t *next = block;
    uint32_t n = sd_ring_read(&ring, block, sizeof block / sizeof *block);

    if (2 * MODEL_SAMPLE_RATE == MICROPHONE_RATE) {
        n = sd_decimator_push(&decimator, block, n, block);
    }
    while (n > 0) {
        uint32_t taken;
        sd_event event;
        const sd_status status = sd_detector_hear(&detector, next, n, &taken, &event);
        if (status != SD_OK) {
            stop("see sd_status: ", status);
        }
        next += taken;
        n -= taken;
        if (event.verdict == SD_WORD) {
            show(event);
        }
    }
    if (sd_ring_lost(&ring) != lost) {
        lost = sd_ring_lost(&ring);
        Serial.println("samples were lost: this board is too slow for the model");
    }
}
