"""Prove that NumPy and C agree bit for bit, samples to logits, on every compiler and processor.

Reads   data/raw/, models/*.int8.safetensors, models/*.pow2.safetensors, firmware/
Writes  nothing; prints a table, exits with 1 on any mismatch. With --fuzz: .fuzz/<model>/
Run     python stages/prove.py [--clips 300] [--models tiny.int8 ...] [--targets "gcc -O2" ...]
        python stages/prove.py --fuzz 600 [--models tiny.int8 ...]

Not part of `dvc repro`: `make prove` and `make fuzz` run it. A target whose tools are missing is
named and left out. With --fuzz, libFuzzer varies samples and blocks for so many seconds a model,
from recordings on, and keeps the inputs that it found in .fuzz/.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from spoken_digits import errors
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.data import manifest
from spoken_digits.data.waveforms import spread_evenly, waveforms_of
from spoken_digits.embedded import fuzzing
from spoken_digits.embedded.proof import Run, prove
from spoken_digits.embedded.targets import TARGETS
from spoken_digits.errors import UserError
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization import integer

RAW = Path("data/raw")
MODELS = Path("models")
FIRMWARE = Path("firmware")
FUZZ = Path(".fuzz")
N_SEEDS = 50
HEAD = ("model", "target", "clips", "mismatches", "instructions", "flash", "RAM", "stack")
COSTS = ("clip_instructions_max", "flash_bytes", "ram_bytes", "stack_bytes")

Clips = list[NDArray[np.int16]]


def main() -> None:
    arguments = parse_arguments()
    models = read_models(arguments.models)
    if arguments.fuzz:
        fuzz(models, arguments.fuzz)
        return
    targets = [TARGETS[name] for name in arguments.targets or TARGETS]
    if all(target.missing() for target in targets):
        packages = " ".join(dict.fromkeys(" ".join(t.packages for t in targets).split()))
        raise UserError(f"no compiler is installed; Debian's packages: apt-get install {packages}")
    rows, left_out = [], []
    for name, (spec, network) in models.items():
        clips = read_clips(spec.sample_rate, arguments.clips)
        bar = tqdm(targets, desc=name, unit="target", disable=None)
        for run in prove(network, spec, clips, FIRMWARE, bar):
            if run.left_out:
                left_out.append(f"{name} was not run on {run.target}: {run.left_out}")
            else:
                rows.append((name, run))
    print(table([cells(name, run) for name, run in rows]))
    print(
        "instructions: executed, not cycles; the most of any clip, samples to word\n"
        "flash, RAM, stack: bytes at -O2"
    )
    print("".join(f"{line}\n" for line in left_out), end="")
    n_mismatches = sum(run.mismatches for _, run in rows)
    print(f"{n_mismatches} mismatches in {len(rows)} comparisons with NumPy")
    sys.exit(n_mismatches > 0)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--clips", type=int, help="number of clips, spread over the corpus (default: all)"
    )
    parser.add_argument("--models", nargs="+", help="such as tiny.int8 (default: all)")
    parser.add_argument(
        "--targets", nargs="+", choices=TARGETS, metavar="TARGET", help=f"of {', '.join(TARGETS)}"
    )
    parser.add_argument("--fuzz", type=int, metavar="SECONDS", help="fuzz each model for so long")
    arguments = parser.parse_args()
    for name in ("clips", "fuzz"):
        if getattr(arguments, name) is not None and getattr(arguments, name) < 1:
            parser.error(f"--{name} must be 1 or more")
    return arguments


def fuzz(models: dict[str, tuple[Spec, IntegerGraph]], seconds: int) -> None:
    """Fuzz every model, one after the other; the first failure ends it."""
    for name, (spec, network) in models.items():
        inputs = FUZZ / name
        fuzzing.write_seeds(inputs, read_clips(spec.sample_rate, N_SEEDS))
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            program = fuzzing.build(FIRMWARE, network, spec, Path(folder))
            print(f"{name}: {seconds} s ...", flush=True)
            fuzzing.run(program, inputs, seconds=seconds)
        print(f"{name}: nothing found; {len(list(inputs.iterdir()))} inputs in {inputs}")


def read_models(names: list[str] | None) -> dict[str, tuple[Spec, IntegerGraph]]:
    """Front-end and network of the integer model files, by name."""
    found = {}
    paths = [path for scheme in SCHEMES for path in MODELS.glob(f"*.{scheme}.safetensors")]
    if names:
        paths = [MODELS / f"{name}.safetensors" for name in names]
    for path in sorted(paths):
        card, tensors = read_model(path)
        found[path.name.removesuffix(".safetensors")] = (
            integer_spec(card.features, path.name),
            integer.restore(card, tensors),
        )
    if not found:
        raise UserError(f"{MODELS} holds no integer network: make them with `dvc repro quantize`")
    return found


def read_clips(sample_rate: int, n_clips: int | None) -> Clips:
    """Recordings as int16 at the device's rate: all, or `n_clips` spread evenly."""
    table = manifest.read_manifest(RAW / "manifest.csv")
    if n_clips is not None:
        table = spread_evenly(table, n_clips)
    return [to_pcm(waveform) for waveform in waveforms_of(RAW / "audio.zip", table, sample_rate)]


def cells(name: str, run: Run) -> tuple[str, ...]:
    """A line of the table."""
    known = (f"{run.report[key]:,}" if key in run.report else "" for key in COSTS)
    return name, run.target, str(run.n_clips), str(run.mismatches), *known


def table(rows: list[tuple[str, ...]]) -> str:
    """Align columns: the first two hold text, the others numbers."""
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [HEAD, *rows]
    )


if __name__ == "__main__":
    errors.run(main)
