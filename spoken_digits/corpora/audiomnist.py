"""AudioMNIST, commit 630d7dab of 2023.

Becker et al., "AudioMNIST: Exploring Explainable Artificial Intelligence for audio analysis on
a simple benchmark", https://github.com/soerenab/AudioMNIST, MIT. 30,000 WAV files, 48 kHz mono
16 bit, 60 speakers x 10 digits x 50 takes, about 1 GB.

File names: ``data/{NN}/{digit}_{NN}_{take}.wav``, NN the speaker, 01 to 60;
``data/audioMNIST_meta.txt`` is JSON with age, gender, accent, ... of each speaker.

No content fingerprint has been published: the layout is checked in full, and the computed
fingerprint is kept in provenance.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from spoken_digits.corpora.archives import obtain
from spoken_digits.corpora.base import WAV_48_KHZ, Corpus, balanced
from spoken_digits.corpora.unpack import Archive
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError

COMMIT = "630d7dab4c040882834de6fa21baf9a60372accd"
URL = f"https://github.com/soerenab/AudioMNIST/archive/{COMMIT}.zip"
ARCHIVE_NAMES = (f"AudioMNIST-{COMMIT}.zip", f"{COMMIT}.zip", "AudioMNIST-master.zip")
METADATA = "audioMNIST_meta.txt"
MARKER = "SYNTHETIC.txt"
"""Member found only in a stand-in, whose clips are synthetic speech."""

N_CLIPS = 30000
_MAX_BYTES = 4 << 30  # the published archive is about 1 GB
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[0-9]{2})_(?P<take>[0-9]{1,3})\.wav")

KNOWN_FAULTS: Mapping[str, str] = {
    "0_19_22": "said to be a 3",
    "3_36_20": "copy of 3_36_19",
    "3_36_29": "copy of 3_36_28",
}
"""Utterances known to be wrong, with what is wrong."""

DIGIT_FOLDS = (
    "26 52 60 18 32 42 05 13 22 33 45 51",
    "28 56 07 19 35 01 06 16 23 34 46 53",
    "36 57 09 24 37 02 08 17 29 39 48 54",
    "43 58 14 25 38 03 10 20 30 40 49 55",
    "12 47 59 15 27 41 04 11 21 31 44 50",
)
"""Test speakers of the five published folds of the digit task."""

_PLAUSIBLE_AGE = range(5, 120)


def open_audiomnist(root: Path, limit: int | None, known_faults: str) -> Corpus:
    """The corpus from the first archive in reach.

    Parameters
    ----------
    root
        Top of the checkout.
    limit
        Largest number of clips to keep, spread over digits and speakers; None keeps all.
    known_faults
        ``exclude`` leaves out the utterances in `KNOWN_FAULTS`, ``keep`` takes them as they are.

    Raises
    ------
    UserError
        No archive, a damaged one, or one that is not in AudioMNIST's layout.
    """
    archive, members = obtain(
        ARCHIVE_NAMES,
        URL,
        root,
        open_archive=_open,
        verify=lambda opened: opened[0].verify(),
        max_bytes=_MAX_BYTES,
    )
    notes = [
        f"{name}: {fault} ({known_faults}d)".replace("keepd", "kept")
        for name, fault in KNOWN_FAULTS.items()
    ]
    speakers, odd = _read_metadata(archive)
    names = [
        name
        for name in members
        if known_faults == "keep" or PurePosixPath(name).stem not in KNOWN_FAULTS
    ]
    groups = [(int(members[n]["take"]), members[n]["speaker"], members[n]["digit"]) for n in names]
    names = balanced(names, limit, groups)
    stand_in = any(PurePosixPath(name).name == MARKER for name in archive.names)
    if stand_in:
        notes.append("a stand-in spoken by a machine: label every figure from it synthetic")
    return Corpus(
        name="audiomnist",
        title="AudioMNIST",
        version=f"stand-in for {COMMIT}" if stand_in else COMMIT,
        source="spoken by eSpeak NG in AudioMNIST's layout" if stand_in else URL,
        licence="none: made by a machine" if stand_in else "MIT",
        synthetic=stand_in,
        n_clips=len(names),
        clips=_clips(archive, names, members),
        audio_format=WAV_48_KHZ,
        speaker_folds=[fold.split() for fold in DIGIT_FOLDS],
        speakers=speakers,
        notes=[*notes, *odd],
    )


def _open(path: Path) -> tuple[Archive, dict[str, re.Match[str]]]:
    """The archive and the names of its clips, each with its digit, speaker and take."""
    archive = Archive(path, keep=[METADATA, MARKER])
    members = {}
    for name in archive.names:
        if name.endswith(".wav"):
            match = _NAME.fullmatch(PurePosixPath(name).name)
            if match is None or PurePosixPath(name).parent.name != match["speaker"]:
                raise UserError(
                    f"{path}: {name} is not named NN/digit_NN_take.wav: fetch the official archive"
                )
            members[name] = match
    names = {match.string for match in members.values()}
    if not len(members) == len(names) == N_CLIPS:
        raise UserError(
            f"{path} holds {len(names)} recordings, AudioMNIST has {N_CLIPS}: "
            "fetch the official archive again"
        )
    _read_metadata(archive)  # raises if it is damaged
    return archive, members


def _clips(
    archive: Archive, names: list[str], members: Mapping[str, re.Match[str]]
) -> Iterator[Clip]:
    for name in names:
        match = members[name]
        stem = PurePosixPath(name).stem
        yield Clip(
            utterance=stem,
            path=f"{match['speaker']}/{stem}.wav",
            label=match["digit"],
            speaker=match["speaker"],
            take=int(match["take"]),
            wav=archive.read(name),
            fault=KNOWN_FAULTS.get(stem, ""),
        )


def _read_metadata(archive: Archive) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Age, gender, accent and so on by speaker, as text; and notes on odd values."""
    found = [name for name in archive.names if PurePosixPath(name).name == METADATA]
    if not found:
        raise UserError(f"{archive.path} holds no {METADATA}: fetch the official archive again")
    try:
        content: dict[str, dict[str, Any]] = json.loads(archive.read(found[0]))
        speakers = {
            speaker: {
                f"speaker_{key.replace(' ', '_')}": str(value) for key, value in about.items()
            }
            for speaker, about in sorted(content.items())
        }
    except (ValueError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{archive.path}: {found[0]} is not AudioMNIST's metadata ({error}): "
            "fetch the official archive again"
        ) from None
    odd = []
    for speaker, about in speakers.items():
        age = about.get("speaker_age", "")
        if not age.isdecimal() or int(age) not in _PLAUSIBLE_AGE:  # speaker 45 is said to be 1234
            odd.append(f"speaker {speaker}: age {age!r} is not plausible, left empty")
            about["speaker_age"] = ""
    return speakers, odd
