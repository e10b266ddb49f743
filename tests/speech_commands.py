"""A small archive in the layout of Speech Commands, for tests."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import soundfile

from spoken_digits.corpora.speech_commands import Layout

SAMPLE_RATE = 16000
SPEAKERS = [hashlib.sha1(bytes([n])).hexdigest()[:8] for n in range(20)]
WORDS = ("bed", "cat", "no", "one", "two", "yes", "zero")
NOISES = ("doing_the_dishes", "pink_noise")
NOISE_SECONDS = 12
LAYOUT = Layout(
    clips=dict.fromkeys(WORDS, 30), val=6 * len(WORDS), test=6 * len(WORDS), noises=2, sha256=None
)
"""What `members` holds; each of 20 speakers says every word, every other one twice."""

Sound = Callable[[str, int, int], np.ndarray]
"""(word, number of the speaker, take) -> (n_samples,) int16 at 16 kHz."""


def wav(pcm: np.ndarray, sample_rate: int = SAMPLE_RATE) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, pcm, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def tone(word: str, speaker: int, take: int) -> np.ndarray:
    """Another tone for every word and speaker, in a little noise."""
    rng = np.random.default_rng([WORDS.index(word), speaker, take])
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    frequency_hz = 300 * (1 + WORDS.index(word)) + 10 * speaker
    wave = 8000 * np.sin(2 * np.pi * frequency_hz * t) + rng.normal(0, 100, t.size)
    return wave.astype(np.int16)


def names() -> Iterator[tuple[str, str, int, int]]:
    """Name, word, number of the speaker and take of every clip."""
    for word in WORDS:
        for number, speaker in enumerate(SPEAKERS):
            for take in range(1 + number % 2):
                yield f"{word}/{speaker}_nohash_{take}.wav", word, number, take


def subset(speaker: int) -> str:
    """A fifth of the speakers are for testing, another for validation."""
    return {0: "test", 1: "val"}.get(speaker % 5, "train")


def members(sound: Sound = tone) -> dict[str, bytes]:
    """The files of the archive, by name."""
    lists = {"val": [], "test": [], "train": []}
    files = {}
    for name, word, number, take in names():
        files[f"./{name}"] = wav(sound(word, number, take))
        lists[subset(number)].append(name)
    for number, noise in enumerate(NOISES):
        rng = np.random.default_rng(number)
        pcm = rng.normal(0, 1000, NOISE_SECONDS * SAMPLE_RATE).astype(np.int16)
        files[f"./_background_noise_/{noise}.wav"] = wav(pcm)
    files["./_background_noise_/README.md"] = b"Noise.\n"
    files["./validation_list.txt"] = "".join(f"{n}\n" for n in lists["val"]).encode()
    files["./testing_list.txt"] = "".join(f"{n}\n" for n in lists["test"]).encode()
    for name in ("README.md", "LICENSE", ".DS_Store"):
        files[f"./{name}"] = b"text\n"
    return files


def write_archive(path: Path, files: Mapping[str, bytes]) -> Path:
    """A tar of the files, packed, in the disorder of a file system."""
    order = sorted(files)
    random.Random(0).shuffle(order)
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for folder in (".", "./_background_noise_", *(f"./{word}" for word in WORDS)):
            entry = tarfile.TarInfo(folder)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
        for name in order:
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return path
