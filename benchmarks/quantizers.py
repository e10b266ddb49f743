"""Post-training quantization against quantization-aware training, on the recorded lstm_36kb.

Reads   models/lstm_36kb.safetensors, data/, params.yaml: seed, quantize
Writes  benchmarks/quantizers.json: {"rows": [{scheme, epochs, val_accuracy, accuracy, agreement}]}
Run     python benchmarks/quantizers.py
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.evaluation.inference import predict
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.qat import QatParams
from spoken_digits.io import files
from spoken_digits.models.device import pick_device
from spoken_digits.models.model_file import load_network, read_model
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import integer_lstm

MODEL = "lstm_36kb"
EPOCHS = (0, 12)  # post-training only, and the epochs of pow2 in params.yaml


def main() -> None:
    config = read_config(Path("params.yaml"))
    seed = config.value("seed", int)
    card, tensors = read_model(Path("models") / f"{MODEL}.safetensors")
    dataset = load_dataset(Path("data"), read_model_params(config, MODEL).features)
    train, val, test = (dataset.subset(name) for name in ("train", "val", "test"))
    network, cpu = load_network(card, tensors), pick_device("cpu")
    said = predict(network, card.normalise, test, cpu).numpy().argmax(axis=1)
    rows = []
    for scheme in SCHEMES:
        given = config.section(f"quantize.{scheme}", QatParams)
        for epochs in EPOCHS:
            settings = dataclasses.replace(given, epochs=epochs)
            made = integer_lstm.quantize(card, tensors, train, val, scheme, settings, seed)
            heard = integer_lstm.logits_of(made, test).argmax(axis=1)
            checked = integer_lstm.logits_of(made, val).argmax(axis=1)
            rows.append(
                {
                    "scheme": scheme,
                    "epochs": epochs,
                    "val_accuracy": round(float((checked == dataset.actual("val")).mean()), 6),
                    "accuracy": round(float((heard == dataset.actual("test")).mean()), 6),
                    "agreement": round(float((heard == said).mean()), 6),
                }
            )
            print(rows[-1], flush=True)
    files.write_json(Path("benchmarks/quantizers.json"), {"model": MODEL, "rows": rows})


if __name__ == "__main__":
    errors.run(main, __doc__)
