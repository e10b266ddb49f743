"""Run the whole AudioMNIST path at full size, on a synthetic stand-in.

Reads   the committed checkout; data/archives/AudioMNIST-<commit>.zip if it is there, or makes a
        stand-in (stand_in.py)
Writes  benchmarks/audiomnist.json: time and memory of each stage, metrics of `cnn` and `cnn_lstm`
        (5 epochs each), and of `lstm_36kb` on the five published speaker folds
Run     python benchmarks/audiomnist.py --folder ../audiomnist

The work is done in a clone at --folder, by the command that anyone would use there,
`dvc exp run -S corpus.name=audiomnist`, stage by stage. If killed, run the same command
to resume. It takes about 40 minutes on two cores with bfloat16, two hours without, and 10 GB. With
a GPU, use --epochs 0 to train for the epochs of params.yaml, and --results for a separate file.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import stand_in
from clones import ROOT, Clone
from measuring import machine

from spoken_digits import errors
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.subsets import SUBSETS, read_split
from spoken_digits.io import files

MADE_BY = "benchmarks/audiomnist.py"
RESULTS = ROOT / "benchmarks/audiomnist.json"
KINDS = ("mfcc", "mfcc_int", "spectrogram")
EPOCHS = 5
CNNS = ("cnn", "cnn_lstm")
FOLDED = "lstm_36kb"
N_FOLDS = 5
REFERENCE_RECIPE = {
    "learning_rate": 0.001,
    "learning_rate_fan_in": "null",
    "schedule": "constant",
    "gradient_clip": "null",
    "normalisation": "none",
}
"""The reference's values where params.yaml differs for `cnn_lstm`."""


class Checkout(Clone):
    """A clone in which the pipeline runs on AudioMNIST's layout."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        archive = f"{stand_in.TOP}.zip"
        if not self.bring(archive):
            with files.replacing(self.archives / archive) as temporary:
                stand_in.write(temporary, None)
        self._progress = self.folder.with_name(f"{self.folder.name}-stages.json")
        self.stages: dict[str, dict[str, float]] = {}
        if self._progress.exists():
            self.stages = files.read_json(self._progress, MADE_BY)

    def experiment(self, target: str, settings: Mapping[str, str | int] | None = None) -> None:
        """`dvc exp run` of one target on AudioMNIST, with all other settings as committed.

        Time and memory, including DVC's own, go into `stages`, unless there was nothing to do.
        """
        self.params_as_committed()
        changes = {"corpus.name": "audiomnist", **(settings or {})}.items()
        options = [part for key, value in changes for part in ("-S", f"{key}={value}")]
        taken = self.run("dvc", "exp", "run", *options, target)
        if f"Running stage '{target}'" in taken.output:
            self.stages[target] = {
                "seconds": round(taken.seconds, 1),
                "peak_rss_mib": taken.peak_rss_mib,
            }
            files.write_json(self._progress, self.stages)

    def extract(self) -> None:
        """Make the corpus and all of its features."""
        for target in ("download", "split", *(f"feature_extract@{kind}" for kind in KINDS)):
            self.experiment(target)

    def metrics(self, name: str) -> dict[str, Any]:
        """The metrics of a model."""
        return self.read(f"metrics/{name}.json", MADE_BY)


def main() -> None:
    arguments = parse_arguments()
    checkout = Checkout(arguments.folder)
    checkout.extract()
    provenance = checkout.read("data/raw/provenance.json", MADE_BY)
    table = read_manifest(checkout.folder / "data/raw/manifest.csv")
    key = "variants.{}.train_on.audiomnist.{}"
    epochs = {key.format(name, "epochs"): arguments.epochs for name in CNNS if arguments.epochs}
    models: dict[str, Any] = {}
    if arguments.reference_recipe:
        changes = {key.format("cnn_lstm", name): to for name, to in REFERENCE_RECIPE.items()}
        checkout.experiment("evaluate@cnn_lstm", {**epochs, **changes})
        models["cnn_lstm, reference's recipe"] = checkout.metrics("cnn_lstm")
    for name in CNNS:
        for target in (f"train@{name}", f"evaluate@{name}", f"quantize@{name}-int8_dynamic"):
            checkout.experiment(target, epochs)
        models[name] = checkout.metrics(name)
        models[f"{name}.int8_dynamic"] = checkout.metrics(f"{name}.int8_dynamic")
    rows = read_split(checkout.folder / "data/split.csv", table)
    content = {
        "machine": machine(),
        "corpus": provenance["version"],
        "synthetic": provenance["synthetic"],
        "n_clips": provenance["n_clips"],
        "split": {subset: len(rows[subset]) for subset in SUBSETS},
        "epochs": arguments.epochs,
        "remark": arguments.remark,
        "stages": dict(checkout.stages),
        "models": models,
    }
    files.write_json(arguments.results, content)  # already: the folds may be cut short
    folds = []
    for fold in range(N_FOLDS):
        settings = {"split.scheme": "speaker", "split.fold": fold}
        checkout.experiment(f"evaluate@{FOLDED}", settings)
        folds.append(checkout.metrics(FOLDED))
    content["speaker_folds"] = {
        "model": FOLDED,
        "mean": round(fmean(fold["accuracy"] for fold in folds), 6),
        "values": [fold["accuracy"] for fold in folds],
        "n_test": [fold["n_test"] for fold in folds],
    }
    files.write_json(arguments.results, content)
    for name, taken in content["stages"].items():
        print(f"{name:<32}{taken['seconds']:>8.1f} s {taken['peak_rss_mib']:>8,.0f} MiB")
    for name, metrics in models.items():
        print(f"{name:<32}{100 * metrics['accuracy']:>8.2f} % (synthetic)")
    print(
        f"{FOLDED} on unseen speakers: {100 * content['speaker_folds']['mean']:.2f} % (synthetic)"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, required=True, help="where to work; a clone is made there"
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help="epochs of the CNNs; 0: those of params.yaml"
    )
    parser.add_argument(
        "--reference-recipe",
        action="store_true",
        help="also train `cnn_lstm` by the reference's recipe",
    )
    parser.add_argument("--remark", default="", help="remark on the times, for readers")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
