"""Compare feature extraction with the reference's: librosa, one clip after the other.

For every clip, the reference notebooks call `librosa.load` (which resamples by soxr), pad or
normalise, and transform; this makes the same calls on WAV files, for a sample of the clips. Ours is
the whole stage as a command: start of the interpreter, archive of clips in, tensors on disk out.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import scipy.fft
from measuring import Measured, measure, row

from spoken_digits import audio
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.manifest import read_manifest

ROOT = Path(__file__).resolve().parent.parent
N_REFERENCE = 600
FEWER = (300, 3000)
"""Smaller numbers of clips to measure, to show how time and memory grow."""


def spectrogram(path: Path) -> Any:
    """Spectrogram in dB relative to its maximum, scaled to [0, 1]: (1025, 32)."""
    samples, _ = librosa.load(path, sr=16000)
    samples = librosa.util.fix_length(samples, size=16000)
    amplitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512))
    return (librosa.amplitude_to_db(amplitude, ref=np.max) + 80) / 80


def mfcc(path: Path) -> Any:
    """13 coefficients of the peak-normalised clip: (13, n_frames)."""
    samples, _ = librosa.load(path, sr=8000)
    samples = samples / np.abs(samples).max()
    return librosa.feature.mfcc(
        y=samples, sr=8000, n_mfcc=13, n_fft=400, hop_length=160, n_mels=40, htk=True
    )


REFERENCES: dict[str, Callable[[Path], Any]] = {"spectrogram": spectrogram, "mfcc": mfcc}


def rows(data: Path, params: Path) -> list[dict[str, Any]]:
    """Rows `features_spectrogram` and `features_mfcc` of a corpus.

    Parameters
    ----------
    data
        Folder with raw/ as `download` makes it.
    params
        params.yaml.
    """
    manifest = read_manifest(data / "raw/manifest.csv")
    audio_s = float((manifest["n_samples"] / manifest["sample_rate"]).sum())
    clips = ClipArchive(data / "raw/audio.zip")
    listed = list(zip(manifest["path"], manifest["sha256"], strict=True))
    sample = random.Random(0).sample(listed, min(N_REFERENCE, len(listed)))
    n_cores = os.cpu_count() or 1
    result = []
    for kind, reference in REFERENCES.items():
        clip_s = _reference(reference, clips, sample)
        bound_s = _bound(kind, clips, sample) * len(manifest) / n_cores
        sizes = [n for n in FEWER if n < len(manifest)] + [len(manifest)]
        taken = [_extract(kind, data / "raw", params, n) for n in sizes]
        n_clips, whole = sizes[-1], taken[-1]
        growth = [
            {
                "clips": n,
                "seconds": round(one.seconds, 2),
                "peak_rss_mib": one.peak_rss_mib,
            }
            for n, one in zip(sizes, taken, strict=True)
        ]
        note = (
            f"{n_clips:,} clips of 48 kHz (synthetic), the whole stage: archive to tensors on "
            f"disk, {n_clips / whole.seconds:,.0f} clips/s, "
            f"{audio_s / whole.seconds:,.0f} times real time; against librosa load, resample, "
            f"transform clip by clip, {1e3 * clip_s:.2f} ms a clip over {len(sample)} clips; "
            f"resampling and Fourier transforms alone take {n_cores} cores {bound_s:.1f} s"
        )
        result.append(
            row(
                f"features_{kind}",
                whole.seconds,
                clip_s * n_clips,
                note,
                peak_rss_mib=whole.peak_rss_mib,
                floor_s=round(bound_s, 2),
                growth=growth,
            )
        )
    return result


def _reference(
    extract: Callable[[Path], Any], clips: ClipArchive, sample: list[tuple[str, str]]
) -> float:
    """Seconds a clip."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i, (path, digest) in enumerate(sample):
            files.append(Path(folder) / f"{i}.wav")
            files[-1].write_bytes(clips.read(path, digest))
        for file in files[:20]:
            extract(file)  # librosa loads its modules on first use
        start = time.perf_counter()
        for file in files:
            extract(file)
        return (time.perf_counter() - start) / len(files)


def _bound(kind: str, clips: ClipArchive, sample: list[tuple[str, str]]) -> float:
    """Seconds per clip, on one core, for soxr and the Fourier transforms alone."""
    rate, n_fft, hop = {"spectrogram": (16000, 2048, 512), "mfcc": (8000, 400, 160)}[kind]
    decoded = [audio.decode(clips.read(path, digest), path) for path, digest in sample]
    start = time.perf_counter()
    resampled = [audio.resample(clip, found.sample_rate, rate) for clip, found in decoded]
    seconds = time.perf_counter() - start
    for clip in resampled:
        frames = np.ones((1 + min(clip.size, rate) // hop, n_fft), np.float32)
        start = time.perf_counter()
        scipy.fft.rfft(frames)
        seconds += time.perf_counter() - start
    return seconds / len(sample)


def _extract(kind: str, raw: Path, params: Path, n_clips: int) -> Measured:
    """The stage on the first clips of the corpus, in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data/raw").mkdir(parents=True)
        (folder / "data/raw/audio.zip").symlink_to((raw / "audio.zip").resolve())
        lines = (raw / "manifest.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        kept = "".join(lines[: n_clips + 1])
        (folder / "data/raw/manifest.csv").write_text(kept, encoding="utf-8")
        (folder / "params.yaml").write_bytes(params.read_bytes())
        script = ROOT / "stages/feature_extract.py"
        return measure([sys.executable, str(script), kind], folder)
