"""manifest.csv: one row a clip, in the order of audio.zip and of every feature tensor."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from spoken_digits import audio
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError
from spoken_digits.io.files import replacing, sha256

COLUMNS = [
    "utterance",
    "path",
    "label",
    "speaker",
    "take",
    "sample_rate",
    "n_samples",
    "sha256",
]
_TEXT = ["utterance", "path", "label", "speaker", "sha256"]


def row(clip: Clip, expected: audio.AudioFormat | None) -> dict[str, str | int]:
    """The manifest's row of a clip; the audio is decoded and checked.

    Parameters
    ----------
    clip
        The clip.
    expected
        The format that the corpus promises; None where any will do.

    Raises
    ------
    UserError
        The clip cannot be decoded or is not in the promised format.
    """
    waveform, audio_format = audio.decode(clip.wav, clip.path)
    if expected is not None and audio_format != expected:
        raise UserError(
            f"{clip.path} is {_in_words(audio_format)}, this corpus is {_in_words(expected)}: "
            "fetch the archive again, or use corpus.name=folder for recordings of your own"
        )
    return {
        "utterance": clip.utterance,
        "path": clip.path,
        "label": clip.label,
        "speaker": clip.speaker,
        "take": clip.take,
        "sample_rate": audio_format.sample_rate,
        "n_samples": waveform.size,
        "sha256": sha256(clip.wav),
    }


def _in_words(audio_format: audio.AudioFormat) -> str:
    return (
        f"{audio_format.container} {audio_format.subtype}, {audio_format.n_channels} channel(s), "
        f"{audio_format.sample_rate} Hz{audio_format.note and f', {audio_format.note}'}"
    )


def write_manifest(path: Path, manifest: pd.DataFrame) -> None:
    """Write the manifest as CSV, whole or not at all."""
    with replacing(path) as temporary:
        manifest.to_csv(temporary, index=False, lineterminator="\n")


def read_manifest(path: Path) -> pd.DataFrame:
    """The manifest with its columns' types.

    Raises
    ------
    UserError
        The file is missing, or is not a manifest.
    """
    try:
        # Labels such as "null" or "07" are words, not numbers or missing values.
        manifest = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `dvc repro download`") from None
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): `dvc repro --force download`") from None
    missing = [column for column in COLUMNS if column not in manifest]
    if missing:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}: `dvc repro --force download`"
        )
    return manifest


def labels(manifest: pd.DataFrame) -> list[str]:
    """The words of the corpus, sorted: class i is labels[i]. Numbers sort as numbers."""
    words = sorted(set(manifest["label"]))
    return sorted(words, key=int) if all(word.isdecimal() for word in words) else words
