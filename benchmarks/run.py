"""Speed as ratios against the reference's way of doing the same, in the same run.

Reads   data/, models/lstm_36kb.safetensors and params.yaml (after `make`)
Writes  benchmarks/results.json: {"machine", "rows": [{name, ours_s, reference_s, ratio, note}]}
Run     make benchmark
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import latency
import numpy as np
import torch
from reference_loop import extract, train

from spoken_digits import errors, experiment, files, params, splits
from spoken_digits.clips import ClipArchive
from spoken_digits.features.extraction import write_features
from spoken_digits.features.registry import FeatureParams, make_extractor
from spoken_digits.manifest import labels, read_manifest
from spoken_digits.models.model_file import load_network, read_model
from spoken_digits.models.networks import Lstm

DATA = Path("data")
RESULTS = Path("benchmarks/results.json")
EPOCHS = 20


def main() -> None:
    arguments = parse_arguments()
    everything = params.read_params(Path("params.yaml"))
    torch.set_num_threads(2)
    rows = [
        features_mfcc(everything),
        train_lstm(everything, arguments.epochs),
        noop_repro(),
        *latency_rows(everything),
    ]
    content = {
        "machine": f"{torch.get_num_threads()} cores, {platform.machine()}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__.partition('+')[0]}",
        "rows": rows,
    }
    files.write_json(RESULTS, content)
    for row in rows:
        ratio = f"{row['ratio']:8.2f} x" if row["ratio"] else " " * 10
        print(f"{row['name']:<32}{row['ours_s']:>10.3g} s {ratio}  {row['note']}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="epochs of train_lstm")
    return parser.parse_args()


def row(name: str, ours_s: float, reference_s: float | None, note: str) -> dict[str, Any]:
    return {
        "name": name,
        "ours_s": round(ours_s, 3),
        "reference_s": reference_s and round(reference_s, 3),
        "ratio": reference_s and round(reference_s / ours_s, 2),
        "note": note,
    }


def unpack(folder: Path) -> tuple[list[Path], list[int]]:
    """Every clip as a WAV file, as the reference has them, and its class."""
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    number = {label: i for i, label in enumerate(labels(manifest))}
    archive = ClipArchive(DATA / "raw" / "audio.zip")
    paths = []
    for name in manifest["path"]:
        paths.append(folder / name.replace("/", "_"))
        paths[-1].write_bytes(archive.read(name))
    return paths, [number[label] for label in manifest["label"]]


def extract_ours(everything: dict[str, Any], folder: Path) -> float:
    """Seconds from the archive of clips to tensors on disk."""
    start = time.perf_counter()
    manifest = read_manifest(DATA / "raw" / "manifest.csv")
    feature_params = params.section(everything, "features", FeatureParams)
    extractor = make_extractor("mfcc", feature_params)
    write_features(folder, extractor, DATA / "raw" / "audio.zip", manifest, feature_params.parallel)
    return time.perf_counter() - start


def features_mfcc(everything: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        paths, _ = unpack(Path(folder))
        ours = min(extract_ours(everything, Path(folder) / "mfcc") for _ in range(3))
        reference = min(extract(paths) for _ in range(2))
    note = f"{len(paths)} clips once: archive to tensors on disk, against torchaudio clip by clip"
    return row("features_mfcc", ours, reference, note)


def train_lstm(everything: dict[str, Any], epochs: int) -> dict[str, Any]:
    everything["model"]["train"] |= {"epochs": epochs, "patience": None}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (data / "features").mkdir(parents=True)
        (data / "raw").symlink_to((DATA / "raw").resolve())
        (data / "split.csv").symlink_to((DATA / "split.csv").resolve())
        manifest = read_manifest(DATA / "raw" / "manifest.csv")
        rows = splits.read_split(DATA / "split.csv", manifest)
        clips = Path(folder) / "clips"
        clips.mkdir()
        paths, classes = unpack(clips)
        start = time.perf_counter()
        extract_ours(everything, data / "features" / "mfcc")
        dataset = experiment.load_dataset(data, everything, "lstm")
        trained = experiment.train_model(dataset, everything, "lstm", seed=42)
        ours = time.perf_counter() - start
        train_rows = rows["train"]
        torch.use_deterministic_algorithms(False)
        reference = train([paths[i] for i in train_rows], [classes[i] for i in train_rows], epochs)
    best = trained.state.curve[trained.state.best_epoch - 1]
    note = (
        f"2x128 LSTM, {epochs} epochs of {len(train_rows)} clips, features included, against "
        f"re-reading every clip twice an epoch; validation accuracy {best[4]:.4f}"
    )
    return row("train_lstm", ours, reference, note)


def latency_rows(everything: dict[str, Any]) -> list[dict[str, Any]]:
    """One clip through the integer C network, against the int8 runtimes people would use."""
    card, tensors = read_model(Path("models/lstm_36kb.safetensors"))
    test = experiment.load_dataset(DATA, everything, "lstm_36kb").subset("test")
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


def noop_repro() -> dict[str, Any]:
    """Seconds of a `dvc repro` that finds nothing to do, the interpreter's start included."""
    dvc = [str(Path(sys.executable).parent / "dvc"), "repro"]
    times = []
    for _ in range(4):
        start = time.perf_counter()
        result = subprocess.run(dvc, capture_output=True, text=True)
        times.append(time.perf_counter() - start)
        if "up to date" not in result.stdout + result.stderr:
            raise errors.UserError("`dvc repro` has work to do: run `make` first")
    return row("noop_repro", min(times), None, "`dvc repro` with everything up to date")


if __name__ == "__main__":
    errors.run(main)
