"""Time `spoken-digits predict` as its user waits for it: the whole command, with its imports.

Rows `predict_<n>_<model>`, of one recording and of a folder of all; the files are in the page
cache. Reference: a script that does it as the published notebooks do, torchaudio's MFCCs and their
2x128 LSTM in PyTorch, clip by clip; imports included, weights random, which costs the same time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measuring import measure, row

REFERENCE = Path(__file__).with_name("reference_loop.py")
MODELS = ("tiny.int8", "tiny")
ONCE, MANY = 5, 2
"""Runs, of which the fastest counts, of one recording and of all."""


def rows(recordings: Path, models: Path, names: Sequence[str] = MODELS) -> list[dict[str, Any]]:
    """Rows of every model.

    Parameters
    ----------
    recordings
        Folder of WAV files of 8 kHz.
    models
        Folder of the model files.
    names
        Models, without ``.safetensors``.
    """
    files = sorted(recordings.rglob("*.wav"))
    result = []
    for given, times in ((files[:1], ONCE), (files, MANY)):
        what = given if len(given) == 1 else [recordings]
        reference, _ = _fastest([REFERENCE, *what], times)
        for name in names:
            command = ["-m", "spoken_digits", "predict", models / f"{name}.safetensors", *what]
            ours, peak_rss_mib = _fastest([*command, "--format", "csv", "--top", "1"], times)
            many = f"{len(given):,} recordings" if len(given) > 1 else "one recording"
            note = (
                f"`spoken-digits predict {name} FILE...`, {many}, imports included, "
                "against the reference's LSTM and MFCCs by PyTorch and torchaudio, clip by clip"
            )
            label = f"predict_{len(given)}_{name}"
            result.append(row(label, ours, reference, note, peak_rss_mib=peak_rss_mib))
    return result


def _fastest(arguments: Sequence[str | Path], times: int) -> tuple[float, float]:
    """Seconds and peak memory, MiB, of the fastest run of Python; a first one fills the cache."""
    command = [sys.executable, *map(str, arguments)]
    runs = [measure(command, Path()) for _ in range(times + 1)][1:]
    return min((run.seconds, run.peak_rss_mib) for run in runs)
