"""Test the detector of one integer model on a speaker whom the model never heard.

Reads   data/plans/<model>.json, data/raw/, data/features/<kind>/, data/other_speech/,
        data/voices/train/, firmware/, params.yaml: seed, corpus, features.sample_rate, split,
        quantize, detector, detect, studies
Writes  studies/detection/<model>.<scheme>-<fold>-<seed>.json, as metrics/detector.json, and
        `speakers`: those of the fold
Run     python stages/detect_unseen.py tiny_open int8 --fold 0 --seed 42

The model is trained without the speakers of the fold, as stage `cross_validate` does; what is none
of the words is made anew, of the other speakers' clips alone. Temperature and threshold come from
the extra voices, whom it has not heard either; the speakers of the fold only test. Without the
archive of voices or that of other speech, what is recorded stays. Part of studies/dvc.yaml
(`make crossval`).
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.data import splits
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.voices import is_there
from spoken_digits.evaluation.detection import examination, material, trial
from spoken_digits.evaluation.detection.examination import Examinee
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.rounding import rounded
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.features.registry import extractor_from
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io import files
from spoken_digits.quantization import integer
from spoken_digits.quantization.network_params import settings_of
from spoken_digits.quantization.schemes import scheme_module
from spoken_digits.rejection.dataset import with_rejects
from spoken_digits.rejection.labels import OPEN
from spoken_digits.rejection.storing import Source, write_rejects
from spoken_digits.rejection.training import train_open
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.folds import read_provenance, resplit
from spoken_digits.training.plan import Plan, read_plan
from spoken_digits.training.planned import VOICES, choose_voices

DATA = Path("data")
RAW = DATA / "raw"
OTHER_SPEECH = DATA / "other_speech"
OTHER_SPEECH_STORES = (OTHER_SPEECH / "train", OTHER_SPEECH / "test")
PARAMS = Path("params.yaml")
FIRMWARE = Path("firmware")
RESULTS = Path("studies/detection")


def main() -> None:
    arguments = parse_arguments()
    name = f"{arguments.model}.{arguments.scheme}-{arguments.fold}-{arguments.seed}"
    path = RESULTS / f"{name}.json"
    if missing := [store for store in (DATA / VOICES, *OTHER_SPEECH_STORES) if not is_there(store)]:
        leave_results(path, missing[0])
        return
    config = read_config(PARAMS)
    detector = config.section("detector", DetectorParams)
    params = config.section("detect", DetectParams)
    plan = choose_voices(read_plan(DATA / "plans", arguments.model, PARAMS), False)
    plan = dataclasses.replace(plan, seed=arguments.seed)
    split = fold_of(config, plan, arguments)
    model = trained(config, plan, split, arguments.scheme)
    validation, test = sound(model, split, params, plan.seed)
    report = examination.examine(model, detector, params, validation, test, plan.seed)
    speakers = sorted({split.speakers[row] for row in split.rows["test"]})
    figures: dict[str, Any] = report.metrics | {"speakers": ", ".join(speakers)}
    if report.sliding:
        figures["sliding"] = report.sliding.metrics
    files.write_json(path, rounded(figures))
    print(
        f"{name}, {', '.join(speakers)}: {figures['words']['hit_rate']:.4f} of the words found and "
        f"right at threshold {report.threshold:.4f}"
    )


def leave_results(path: Path, missing: Path) -> None:
    """Say that a store is empty, and leave what is recorded, or an empty object."""
    if not path.exists():
        files.write_json(path, {})
    print(f"{path}: {missing} is empty, what is recorded stays")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny, or another with an integer network")
    parser.add_argument("scheme", choices=SCHEMES)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    return parser.parse_args()


def fold_of(config: Config, plan: Plan, arguments: argparse.Namespace) -> Dataset:
    """The clips, those of the fold's speakers to test on."""
    chosen_on = config.section("studies", StudyParams).validation.get(arguments.model, "none")
    return resplit(
        load_dataset(DATA, plan.features),
        RAW,
        splits.read_params(config, read_provenance(RAW)["corpus"]),
        config.value("seed", int),
        scheme="speaker",
        fold=arguments.fold,
        validation=chosen_on,
    )


def trained(config: Config, plan: Plan, split: Dataset, scheme: str) -> Examinee:
    """The integer network of a model trained on the fold."""
    if plan.augmentation != OPEN:
        return quantized(config, plan, split, train_model(split, plan), scheme)
    source = Source(
        raw=RAW,
        real=OTHER_SPEECH / "train",
        params=config.section("corpus", CorpusParams),
        sample_rate=config.value("features.sample_rate", int),
        seed=plan.seed,
    )
    with tempfile.TemporaryDirectory(prefix="rejects-") as folder:
        store = Path(folder) / "train"
        write_rejects(store, "train", split.rows["train"].tolist(), source)
        dataset = with_rejects(split, store, extractor_from(split.description, "features.json"))
        return quantized(config, plan, dataset, train_open(dataset, plan), scheme)


def quantized(
    config: Config, plan: Plan, dataset: Dataset, found: TrainedModel, scheme: str
) -> Examinee:
    """A trained model as integers."""
    module = scheme_module(scheme)
    params = settings_of(config, found.card.name, scheme, module.PARAMS)
    tensors = {name: tensor.cpu() for name, tensor in found.network.state_dict().items()}
    target = dataclasses.replace(found.card, scheme=scheme)
    made = module.quantized(target, tensors, dataset, params, plan.seed)
    network = integer.restore(made.card, made.tensors)
    return examination.examinee(made.card, network, FIRMWARE)


def sound(
    model: Examinee, split: Dataset, params: DetectParams, seed: int
) -> tuple[material.Material, material.Material]:
    """What to choose the threshold on, and what to test on."""
    rate, labels = model.frontend.sample_rate, model.recogniser.labels
    voices = DATA / VOICES
    everyone = np.arange(len(read_manifest(voices / "manifest.csv")))
    validation = material.gathered(
        material.words_of(voices, everyone, labels, params.words, rate),
        OTHER_SPEECH / "train",
        "validation",
        labels,
        synthetic_minutes=trial.VALIDATION_SHARE * params.synthetic_minutes,
        sample_rate=rate,
        seed=seed,
    )
    test = material.gathered(
        material.words_of(RAW, split.rows["test"], labels, params.words, rate),
        OTHER_SPEECH / "test",
        "test",
        labels,
        synthetic_minutes=params.synthetic_minutes,
        sample_rate=rate,
        seed=seed,
    )
    return validation, test


if __name__ == "__main__":
    errors.run(main)
