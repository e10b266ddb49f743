"""Extra voices, version 1: recordings of the ten digits by 27 people who are not in FSDD.

569 WAV files, 8 to 48 kHz, mono or stereo, 16 or 24 bit, in two roles that stay apart: 469 clips
of five voices to train on, and 100 clips of 22 strangers to test on and for nothing else.

File names: ``{digit}_{speaker}_{take}.wav`` in ``recordings/``; speakers are xv01 to xv05 (train)
and sc01 to sc22 (strangers). No address offers the archive: it comes beside a checkout.

==============  =================  ====================================================
speakers        licence            source
==============  =================  ====================================================
xv01            CC BY-SA 4.0       FSDD, pull request 14, cut again (Jakobovski et al.)
xv02, xv03      MIT                inspektral/audioMNIST-classifier, predict_data
xv04            CC BY-SA 3.0       Asterisk core sounds: Allison Smith, Digium
xv05            MIT                GKPrarthana/speech_recognition_system
sc01 to sc22    CC BY 4.0          Google Speech Commands v0.01 (Pete Warden, 2017)
==============  =================  ====================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spoken_digits.corpora.archives import ENVIRONMENT_VARIABLE, obtain_local
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.unpack import Archive
from spoken_digits.data.clips import Clip
from spoken_digits.data.provenance import fingerprint_of
from spoken_digits.data.roles import FINGERPRINTS
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

ARCHIVE_NAME = "extra-voices-1.tar.gz"
NOT_IN_REACH = (
    f"{ARCHIVE_NAME} is not in reach and no address offers it: put it into data/archives/, or "
    f"into a folder named by {ENVIRONMENT_VARIABLE}"
)
_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>(?:xv|sc)[0-9]{2})_(?P<take>[0-9]{1,3})\.wav")
_FSDD = ("Free Spoken Digit Dataset, pull request 14, cut again", "CC BY-SA 4.0")
_GIULIO_SHEILA = ("inspektral/audioMNIST-classifier", "MIT")
_ASTERISK = ("Asterisk core sounds, Allison Smith", "CC BY-SA 3.0")
_GKPRARTHANA = ("GKPrarthana/speech_recognition_system", "MIT")
_SPEECH_COMMANDS = ("Google Speech Commands v0.01", "CC BY 4.0")


@dataclass(frozen=True, kw_only=True)
class Role:
    """One use of the clips, and the speakers who serve it."""

    title: str
    n_clips: int
    fingerprint: str
    """Digest of names and contents of its clips, as provenance.json holds it."""
    speakers: Mapping[str, tuple[str, str]]
    """Source and licence of each speaker's clips."""


ROLES = {
    "train": Role(
        title="Extra voices to train on",
        n_clips=469,
        fingerprint=FINGERPRINTS["train"],
        speakers={
            "xv01": _FSDD,
            "xv02": _GIULIO_SHEILA,
            "xv03": _GIULIO_SHEILA,
            "xv04": _ASTERISK,
            "xv05": _GKPRARTHANA,
        },
    ),
    "strangers": Role(
        title="Strangers to test on",
        n_clips=100,
        fingerprint=FINGERPRINTS["strangers"],
        speakers={f"sc{number:02}": _SPEECH_COMMANDS for number in range(1, 23)},
    ),
}


def open_extra_voices(root: Path) -> dict[str, Corpus] | None:
    """The corpus of each role, from the first archive in reach; None if there is none.

    Parameters
    ----------
    root
        Top of the checkout.

    Raises
    ------
    UserError
        The archive is damaged, or does not hold the recordings of version 1.
    """
    opened = obtain_local([ARCHIVE_NAME], root, open_archive=_open)
    if opened is None:
        return None
    archive, members = opened
    return {role: _corpus(archive, role, members[role]) for role in ROLES}


def _open(path: Path) -> tuple[Archive, dict[str, list[str]]]:
    """The archive, and the names of the clips of each role; their content is checked."""
    archive = Archive(path)
    members: dict[str, list[str]] = {role: [] for role in ROLES}
    for name in archive.names:
        members[_role_of(path, _parse(path, name)["speaker"])].append(name)
    for role, names in members.items():
        facts = ROLES[role]
        if len(names) != facts.n_clips:
            raise UserError(
                f"{path} holds {len(names)} recordings for {role}, version 1 has {facts.n_clips}: "
                "put the original archive in its place"
            )
        if (
            fingerprint_of((name, sha256(archive.read(name))) for name in names)
            != facts.fingerprint
        ):
            raise UserError(
                f"{path}: the recordings for {role} are not those of version 1: "
                "put the original archive in its place"
            )
    return archive, members


def _corpus(archive: Archive, role: str, members: Sequence[str]) -> Corpus:
    facts = ROLES[role]
    return Corpus(
        name="extra_voices",
        title=facts.title,
        version="1",
        role=role,
        source=_joined(source for source, _ in facts.speakers.values()),
        licence=_joined(licence for _, licence in facts.speakers.values()),
        synthetic=False,
        n_clips=len(members),
        clips=_clips(archive, members),
        audio_format=None,
        fingerprint=facts.fingerprint,
        speakers={
            speaker: {"source": source, "licence": licence}
            for speaker, (source, licence) in facts.speakers.items()
        },
    )


def _clips(archive: Archive, members: Sequence[str]) -> Iterator[Clip]:
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
    if match is None or PurePosixPath(member).parent.name != "recordings":
        raise UserError(
            f"{archive}: {member} is not named recordings/digit_speaker_take.wav: "
            "put the original archive in its place"
        )
    return match


def _role_of(archive: Path, speaker: str) -> str:
    for role, facts in ROLES.items():
        if speaker in facts.speakers:
            return role
    raise UserError(
        f"{archive}: version 1 has no speaker {speaker}: put the original archive in its place"
    )


def _joined(texts: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(texts))
