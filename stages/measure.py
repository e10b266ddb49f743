"""Stage `measure`: measure an integer model on a Cortex-M; compare its C with NumPy.

Reads   models/<model>.<scheme>.safetensors, data/raw/, data/split.csv, firmware/,
        params.yaml: measure
Writes  metrics/cortex_m/<model>.<scheme>.json
Run     python stages/measure.py lstm_36kb int8

The figures belong to the tools that `measure` names. Without these tools, figures recorded for the
same model stay as they are; a changed model has none until it is measured, and the reason instead.
A target of the proof whose tools are missing is left out, and the record says so.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits import errors
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.config import read_config
from spoken_digits.data import manifest
from spoken_digits.data.subsets import read_split
from spoken_digits.data.waveforms import spread_evenly, waveforms_of
from spoken_digits.embedded import boards, costs, proof, toolchain
from spoken_digits.embedded.targets import TARGETS, on_board
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.io import files
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

RAW = Path("data/raw")
SPLIT = Path("data/split.csv")
MODELS = Path("models")
FIRMWARE = Path("firmware")
METRICS = Path("metrics/cortex_m")


def main() -> None:
    arguments = parse_arguments()
    stem = f"{arguments.model}.{arguments.scheme}"
    path, model_file = METRICS / f"{stem}.json", MODELS / f"{stem}.safetensors"
    card, tensors = read_model(model_file)
    params = read_config(Path("params.yaml")).section("measure", toolchain.MeasureParams)
    model = files.sha256(model_file.read_bytes())
    missing = toolchain.missing(params)
    if missing:
        leave(path, stem, model, missing)
        return
    network = integer.restore(card, tensors)
    spec = integer_spec(card.features)
    clips = test_clips(params.clips, spec.sample_rate)
    boards_too = {target.name: target for target in map(on_board, boards.BOARDS.values())}
    targets = {name: TARGETS[name] for name in arguments.targets} | boards_too
    runs = list(proof.prove(network, spec, clips, FIRMWARE, targets.values()))
    reports = {run.target: run.report for run in runs}
    whole = {name: reports[on_board(board).name] for name, board in boards.BOARDS.items()}
    metrics = costs.metrics(costs.of_parts(network, spec, clips, FIRMWARE), whole)
    metrics["stack_bound_bytes"] = costs.stack_bound(network, spec, FIRMWARE)
    record = proof.record(runs)
    files.write_json(path, {"model_sha256": model, **record, **metrics})
    print(
        f"{stem}: {record['mismatches']} mismatches on {len(clips)} clips, "
        f"{metrics['flash_bytes']:,} B of flash, {metrics['instructions_m0']:,} instructions on M0"
    )
    for run in runs:
        if run.left_out:
            print(f"{stem} was not run on {run.target}: {run.left_out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm_36kb, or another with an integer network")
    parser.add_argument("scheme", choices=SCHEMES)
    parser.add_argument(
        "--targets",
        nargs="+",
        choices=TARGETS,
        default=[*TARGETS],
        metavar="TARGET",
        help="where C is compared besides the boards that are measured (default: everywhere)",
    )
    return parser.parse_args()


def leave(path: Path, stem: str, model: str, missing: list[str]) -> None:
    """Keep figures of the same model; write that there are none for another."""
    recorded: dict[str, Any] = files.read_json(path, "dvc repro measure") if path.exists() else {}
    if recorded.get("model_sha256") == model:
        kept = "the recorded figures stay"
    else:
        files.write_json(path, {"model_sha256": model, "not_measured": "; ".join(missing)})
        kept = "there are no figures of this model"
    print(f"{stem}: not measured, {kept} ({'; '.join(missing)}; Debian: {toolchain.PACKAGES})")


def test_clips(n: int, sample_rate: int) -> list[NDArray[np.int16]]:
    """At most `n` test clips, spread evenly, as samples for the front-end."""
    table = manifest.read_manifest(RAW / "manifest.csv")
    test = spread_evenly(table.iloc[read_split(SPLIT, table)["test"]], n)
    return [to_pcm(waveform) for waveform in waveforms_of(RAW / "audio.zip", test, sample_rate)]


if __name__ == "__main__":
    errors.run(main)
