"""Measure speed relative to the reference implementation, in the same run.

Reads   data/, models/ and params.yaml (after `make`); for the rows at AudioMNIST's size the clone
        that audiomnist.py made at --audiomnist, or a temporary one
Writes  benchmarks/results.json: {"machine", "rows": [{name, ours_s, reference_s, ratio, note, and
        peak_rss_mib where it matters}]}
Run     make benchmark

With a GPU, training and float32 inference run on it, and an epoch at AudioMNIST's size is added;
use --results for a separate file.
"""

from __future__ import annotations

import argparse
import copy
import functools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import extraction
import inference
import latency
import numpy as np
import peers
import prediction
import torch
import training
from audiomnist import Checkout
from measuring import machine, measure, row
from reference_loop import Mfccs, ReferenceLstm, extract, train

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.loading import load_dataset
from spoken_digits.data.manifest import labels, read_manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.features.extraction import write_features
from spoken_digits.features.registry import make_extractor, read_feature_params
from spoken_digits.io import files
from spoken_digits.models.architectures.ds_cnn import Network as DsCnn
from spoken_digits.models.architectures.lstm import Network as Lstm
from spoken_digits.models.device import pick_device
from spoken_digits.models.model_file import load_network, read_model
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import integer, integer_ds_cnn
from spoken_digits.training import experiment
from spoken_digits.training.planning import make_plan

DATA = Path("data")
RESULTS = Path("benchmarks/results.json")
DVC = Path(sys.executable).parent / "dvc"
EPOCHS = 20
N_CALIBRATION = 200
"""Training clips that set the ranges of ONNX Runtime's int8 activations."""
GROUPS = ("features", "training", "arithmetic", "integer", "inference", "prediction", "pipeline")


def main() -> None:
    arguments = parse_arguments()
    config = read_config(Path("params.yaml"))
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as temporary:

        @functools.cache
        def large() -> Checkout:
            """Made by the first group that needs it: that takes minutes."""
            made = Checkout(arguments.audiomnist or Path(temporary) / "audiomnist")
            made.extract()
            return made

        groups: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "features": lambda: extraction.rows(large().folder / "data", Path("params.yaml")),
            "training": lambda: training_rows(config, arguments.epochs, large()),
            "arithmetic": training.portable_rows,
            "integer": lambda: [*latency_rows(config), *peer_rows(config)],
            "inference": lambda: inference.rows(DATA, config, Path("firmware")),
            "prediction": prediction_rows,
            "pipeline": lambda: pipeline_rows(large()),
        }
        rows: list[dict[str, Any]] = []
        earlier = rows_of_other_runs(arguments.results) if arguments.groups else []
        for name in arguments.groups or groups:
            made = groups[name]()
            for one in made:
                ratio = f"{one['ratio']:8.2f} x" if one["ratio"] else " " * 10
                print(f"{one['name']:<40}{one['ours_s']:>10.3g} s {ratio}  {one['note']}")
            rows += made
            names = {one["name"] for one in rows}
            kept = [one for one in earlier if one["name"] not in names]
            files.write_json(arguments.results, {"machine": machine(), "rows": rows + kept})


def rows_of_other_runs(path: Path) -> list[dict[str, Any]]:
    """The recorded rows, each naming the machine that it was measured on."""
    if not path.exists():
        return []
    recorded = files.read_json(path, "python benchmarks/run.py")
    return [{"machine": recorded["machine"], **one} for one in recorded["rows"]]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of train_lstm")
    parser.add_argument(
        "--audiomnist",
        type=Path,
        help="clone made by audiomnist.py; default: make one, which takes minutes",
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--groups", nargs="+", choices=GROUPS, help="only these; by default all")
    return parser.parse_args()


def unpack(folder: Path) -> tuple[list[Path], list[int]]:
    """Every clip as a WAV file, as the reference reads them, and its class."""
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    number = {label: i for i, label in enumerate(labels(manifest))}
    archive = ClipArchive(DATA / "raw" / "audio.zip")
    paths = []
    for name, digest in zip(manifest["path"], manifest["sha256"], strict=True):
        paths.append(folder / name.replace("/", "_"))
        paths[-1].write_bytes(archive.read(name, digest))
    return paths, [number[label] for label in manifest["label"]]


def extract_ours(config: Config, folder: Path) -> float:
    """Seconds from the archive of clips to tensors on disk."""
    start = time.perf_counter()
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    extractor = make_extractor("mfcc", config)
    parallel = read_feature_params(config).parallel
    write_features(folder, extractor, DATA / "raw" / "audio.zip", manifest, parallel)
    return time.perf_counter() - start


def training_rows(config: Config, epochs: int, large: Checkout) -> list[dict[str, Any]]:
    """Features of FSDD and training; with a GPU also epochs at AudioMNIST's size."""
    rows = [features_mfcc_fsdd(config), train_lstm(copy.deepcopy(config), epochs)]
    rows += training.rows()
    if torch.cuda.is_available():
        data = large.folder / "data"
        rows += [training.epoch_row(f"epoch_{m}_audiomnist", m, data) for m in training.CNNS]
    return rows


def features_mfcc_fsdd(config: Config) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths, _ = unpack(Path(folder))
        ours = min(extract_ours(config, Path(folder) / "mfcc") for _ in range(3))
        reference = min(extract(paths) for _ in range(2))
    note = (
        f"{len(paths)} clips of 8 kHz once, in a warm process: archive to tensors on disk, "
        "against torchaudio clip by clip"
    )
    return row("features_mfcc_fsdd", ours, reference, note)


def train_lstm(config: Config, epochs: int) -> dict[str, Any]:
    # The reference runs in this process too, with the fastest kernels.
    config["model"]["train"] |= {"epochs": epochs, "patience": None, "arithmetic": "fast"}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (data / "features").mkdir(parents=True)
        (data / "raw").symlink_to((DATA / "raw").resolve())
        (data / "split.csv").symlink_to((DATA / "split.csv").resolve())
        manifest = read_manifest(DATA / "raw" / "manifest.csv")
        rows = read_split(DATA / "split.csv", manifest)
        clips = Path(folder) / "clips"
        clips.mkdir()
        paths, classes = unpack(clips)
        start = time.perf_counter()
        extract_ours(config, data / "features" / "mfcc")
        plan = make_plan(config, "lstm", "fsdd", len(set(classes)))
        trained = experiment.train_model(load_dataset(data, plan.features), plan)
        ours = time.perf_counter() - start
        train_rows = rows["train"]
        torch.use_deterministic_algorithms(False)
        again = {"train": ([paths[i] for i in train_rows], [classes[i] for i in train_rows])}
        device = pick_device(config.value("train.device", str))
        reference = sum(train(ReferenceLstm(), Mfccs(), again, epochs, device))
    best = trained.state.curve[trained.state.best_epoch - 1]
    note = (
        f"2x128 LSTM, {epochs} epochs of {len(train_rows)} clips, features included, against "
        f"re-reading every clip twice an epoch; validation accuracy {best[4]:.4f}"
    )
    return row("train_lstm", ours, reference, note)


def latency_rows(config: Config) -> list[dict[str, Any]]:
    """One clip through the integer C network, against common int8 runtimes."""
    card, tensors = read_model(Path("models/lstm_36kb.safetensors"))
    test = load_dataset(DATA, read_model_params(config, "lstm_36kb").features).subset("test")
    network = load_network(card, tensors)
    assert isinstance(network, Lstm)
    return latency.rows(
        network,
        np.array(card.mean),
        np.array(card.std),
        np.asarray(test.x[test.rows]),
        test.n_frames[test.rows],
        Path("firmware"),
    )


def peer_rows(config: Config) -> list[dict[str, Any]]:
    """One clip through the convolutional networks in C, against ONNX Runtime."""
    rows = []
    for name in ("tiny", "micro"):
        card, tensors = read_model(Path(f"models/{name}.safetensors"))
        network = load_network(card, tensors)
        assert isinstance(network, DsCnn)
        dataset = load_dataset(DATA, read_model_params(config, name).features)
        extractor, train = integer_ds_cnn.extractor_of(card), dataset.rows["train"]
        spread = np.linspace(0, len(train) - 1, N_CALIBRATION).round().astype(int)
        step = card.features["step_db"]  # of the integer features; the card's are in dB
        rows += peers.rows(
            name,
            network,
            integer.restore(*read_model(Path(f"models/{name}.int8.safetensors"))),
            np.array(card.mean) / step,
            np.array(card.std) / step,
            integer_ds_cnn.heard(dataset, dataset.rows["test"], extractor),
            integer_ds_cnn.heard(dataset, train[spread], extractor),
            Path("firmware"),
        )
    return rows


def prediction_rows() -> list[dict[str, Any]]:
    """The command that recognises recordings, on all clips as WAV files."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        return prediction.rows(Path(folder), Path("models"))


def pipeline_rows(large: Checkout) -> list[dict[str, Any]]:
    """Time that DVC needs to find nothing to do, here and with 30,000 clips."""
    made = ["split", "feature_extract"]
    rows = []
    for name, folder, command in (
        ("noop_repro", Path(), ["repro"]),
        ("noop_repro_30000", large.folder, ["repro", *made]),
        ("status_30000", large.folder, ["status", *made]),
    ):
        taken = [measure([str(DVC), *command], folder) for _ in range(4)]
        if "up to date" not in taken[-1].output:
            raise errors.UserError(f"`dvc {' '.join(command)}` has work to do: run `make` first")
        seconds = min(one.seconds for one in taken)
        where = "30,000 clips of 48 kHz, all features" if folder == large.folder else "FSDD"
        note = f"`dvc {' '.join(command)}`, everything up to date: {where}"
        rows.append(row(name, seconds, None, note))
    return rows


if __name__ == "__main__":
    errors.run(main)
