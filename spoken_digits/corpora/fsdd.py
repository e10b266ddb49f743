"""Free Spoken Digit Dataset v1.0.10.

Jakobovski et al., https://github.com/Jakobovski/free-spoken-digit-dataset, CC BY-SA 4.0,
DOI 10.5281/zenodo.1342401. 3,000 WAV files, 8 kHz mono 16 bit, 6 speakers (all male) x 10
digits x 50 takes, 0.14 to 2.28 s.

File names: ``{digit}_{speaker}_{take}.wav`` in ``recordings/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from spoken_digits.corpora.archives import obtain
from spoken_digits.corpora.base import WAV_8_KHZ, Corpus, balanced
from spoken_digits.corpora.unpack import Archive
from spoken_digits.data.clips import Clip
from spoken_digits.data.provenance import fingerprint_of
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

URL = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz"
ARCHIVE_NAMES = ("free-spoken-digit-dataset-1.0.10.tar.gz", "v1.0.10.tar.gz")
FINGERPRINT = "dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f"
N_CLIPS = 3000
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
_MAX_BYTES = 256 << 20  # the published archive is 16 MB
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[a-z]+)_(?P<take>[0-9]{1,3})\.wav")


def open_fsdd(root: Path, limit: int | None) -> Corpus:
    """The corpus from the first archive in reach.

    Raises
    ------
    UserError
        No archive, a damaged one, or one that does not hold the 3,000 clips.
    """
    archive, members = obtain(
        ARCHIVE_NAMES, URL, root, open_archive=_open, verify=_verify, max_bytes=_MAX_BYTES
    )
    matches = [_parse(archive.path, name) for name in members]
    groups = [(int(m["take"]), m["speaker"], m["digit"]) for m in matches]
    members = balanced(members, limit, groups)
    return Corpus(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        version="1.0.10",
        source=URL,
        licence="CC BY-SA 4.0",
        synthetic=False,
        n_clips=len(members),
        clips=_clips(archive, members),
        audio_format=WAV_8_KHZ,
        fingerprint=FINGERPRINT if len(members) == N_CLIPS else None,
        speaker_folds=[[speaker] for speaker in SPEAKERS],
        official_test_takes=range(5),
    )


def _open(path: Path) -> tuple[Archive, list[str]]:
    """The archive and the names of its clips."""
    archive = Archive(path)
    members = [name for name in archive.names if PurePosixPath(name).parent.name == "recordings"]
    names = {_parse(path, name).string for name in members}
    if not len(members) == len(names) == N_CLIPS:
        raise UserError(
            f"{path} holds {len(names)} recordings, FSDD v1.0.10 has {N_CLIPS}: "
            "fetch the official archive again"
        )
    return archive, members


def _verify(opened: tuple[Archive, list[str]]) -> None:
    """Refuse a fetched archive whose recordings differ from the published ones."""
    archive, members = opened
    if fingerprint_of((name, sha256(archive.read(name))) for name in members) != FINGERPRINT:
        raise UserError(f"{archive.path} does not hold the recordings of FSDD v1.0.10")


def _clips(archive: Archive, members: list[str]) -> Iterator[Clip]:
    for member in members:
        match = _parse(archive.path, member)
        yield Clip(
            utterance=PurePosixPath(member).stem,
            path=PurePosixPath(member).name,
            label=match["digit"],
            speaker=match["speaker"],
            take=int(match["take"]),
            wav=archive.read(member),
        )


def _parse(archive: Path, member: str) -> re.Match[str]:
    match = _NAME.fullmatch(PurePosixPath(member).name)
    if match is None:
        raise UserError(
            f"{archive}: {member} is not named digit_speaker_take.wav: fetch the official archive"
        )
    return match
