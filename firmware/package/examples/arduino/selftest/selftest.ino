// Does this board give the same bits as the model in Python? Open the serial monitor at 115,200.
#include <@@name@@_model.h> // tells Arduino which library this is; nothing below names the model

#include <selftest/sd_selftest.h>

static MODEL_MEMORY memory;
static DETECTOR_MEMORY kept;

static void show(const char *what, const char *word, int differs)
{
    Serial.print(what);
    Serial.print(": ");
    Serial.print(word);
    Serial.println(differs ? ", DIFFERS from the golden vector" : "");
}

void setup()
{
    Serial.begin(115200);
    while (!Serial) {
    }
    const uint32_t differ = sd_selftest(&memory, &kept, show);
    Serial.print(GOLDEN_N_CLIPS);
    Serial.print(" clips, ");
    Serial.print(GOLDEN_N_EVENTS);
    Serial.print(" events, ");
    Serial.print((unsigned long)differ);
    Serial.println(" differ");
}

void loop()
{
}
