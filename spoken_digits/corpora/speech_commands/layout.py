"""The archive of Speech Commands: its names, its counts, its lists.

``./<word>/<speaker>_nohash_<take>.wav``, the speaker as eight hexadecimal digits;
``./validation_list.txt`` and ``./testing_list.txt`` name the clips of two subsets as
``<word>/<file>``, all others are to train on; ``./_background_noise_/<name>.wav`` are minutes of
noise. Beside them lie README.md, LICENSE and .DS_Store.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spoken_digits.corpora.unpack import Archive, Limits
from spoken_digits.errors import UserError

URL = "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz"
ARCHIVE_NAMES = ("speech_commands_v0.02.tar.gz",)
MAX_BYTES = 4 << 30  # the published archive has 2,428,923,189
LIMITS = Limits(tar_bytes=8 << 30)  # the published archive unpacks to 3.5 GB

_NOISE = "_background_noise_"
_LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
_NAME = re.compile(r"(?P<speaker>[0-9a-f]{8})_nohash_(?P<take>[0-9]{1,3})\.wav")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a whole archive holds."""

    clips: Mapping[str, int]
    """Word -> number of clips."""
    val: int
    """Entries of validation_list.txt."""
    test: int
    """Entries of testing_list.txt."""
    noises: int
    """Recordings of background noise."""
    sha256: str | None
    """Digest of the published file; None if it is not known."""


PUBLISHED = Layout(
    clips={
        "backward": 1664,
        "bed": 2014,
        "bird": 2064,
        "cat": 2031,
        "dog": 2128,
        "down": 3917,
        "eight": 3787,
        "five": 4052,
        "follow": 1579,
        "forward": 1557,
        "four": 3728,
        "go": 3880,
        "happy": 2054,
        "house": 2113,
        "learn": 1575,
        "left": 3801,
        "marvin": 2100,
        "nine": 3934,
        "no": 3941,
        "off": 3745,
        "on": 3845,
        "one": 3890,
        "right": 3778,
        "seven": 3998,
        "sheila": 2022,
        "six": 3860,
        "stop": 3872,
        "three": 3727,
        "tree": 1759,
        "two": 3880,
        "up": 3723,
        "visual": 1592,
        "wow": 2123,
        "yes": 4044,
        "zero": 4052,
    },
    val=9981,
    test=11005,
    noises=6,
    # As torchaudio and TensorFlow Datasets publish it; the MD5 is 6b74f3901214cb2c2934e98196829835.
    sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)
"""Version 0.02: Warden 2018, table 1 and section 7."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One spoken word in the archive."""

    member: str
    """Name inside the archive."""
    word: str
    speaker: str
    take: int
    subset: str
    """train, val or test, as the archive's lists say."""

    @property
    def name(self) -> str:
        """``<word>/<file>``, as the lists name it."""
        return f"{self.word}/{PurePosixPath(self.member).name}"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What an archive holds, without the sound."""

    path: Path
    recordings: list[Recording]
    """Sorted by word and file name."""
    noises: list[str]
    """Members that are background noise, sorted."""


def read_contents(path: Path, layout: Layout) -> Contents:
    """List an archive and check it against `layout`, name by name and count by count.

    Raises
    ------
    UserError
        The archive is damaged, or holds something else.
    """
    lists = set(_LISTS.values())
    archive = Archive(
        path, keep=sorted(lists), limits=LIMITS, held=lambda m: PurePosixPath(m).name in lists
    )
    sounds = [name for name in archive.names if name.endswith(".wav")]
    noises = [name for name in sounds if PurePosixPath(name).parent.name == _NOISE]
    subsets = _read_lists(archive, layout)
    recordings = [_recording(path, name, subsets) for name in sorted(set(sounds) - set(noises))]
    _check(path, recordings, noises, layout)
    missing = sorted(set(subsets) - {recording.name for recording in recordings})
    if missing:
        raise _odd(path, f"lists {missing[0]}, but holds no such clip")
    recordings.sort(key=lambda recording: recording.name)
    return Contents(path=path, recordings=recordings, noises=noises)


def check_digest(path: Path, layout: Layout) -> None:
    """Refuse a fetched archive that is not the published file.

    Raises
    ------
    UserError
        Its SHA-256 is another.
    """
    if layout.sha256 is None:
        return
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    found = digest.hexdigest()
    if found != layout.sha256:
        raise _odd(path, f"has the SHA-256 {found[:12]}..., not {layout.sha256[:12]}...")


def _read_lists(archive: Archive, layout: Layout) -> dict[str, str]:
    """Subset of each clip on a list, by ``<word>/<file>``."""
    subsets: dict[str, str] = {}
    for subset, list_name in _LISTS.items():
        members = [name for name in archive.names if PurePosixPath(name).name == list_name]
        if len(members) != 1:
            raise _odd(archive.path, f"holds {len(members)} files named {list_name}")
        entries = archive.read(members[0]).decode("utf-8", "replace").split()
        expected = getattr(layout, subset)
        if len(entries) != expected:
            raise _odd(
                archive.path, f"names {len(entries):,} clips in {list_name}, not {expected:,}"
            )
        for entry in entries:
            if entry in subsets:
                raise _odd(archive.path, f"lists {entry[:60]!r} twice")
            subsets[entry] = subset
    return subsets


def _recording(path: Path, member: str, subsets: Mapping[str, str]) -> Recording:
    place = PurePosixPath(member)
    match = _NAME.fullmatch(place.name)
    if match is None:
        raise _odd(path, f"holds {member}, which is not named <word>/<speaker>_nohash_<take>.wav")
    word = place.parent.name
    return Recording(
        member=member,
        word=word,
        speaker=match["speaker"],
        take=int(match["take"]),
        subset=subsets.get(f"{word}/{place.name}", "train"),
    )


def _check(path: Path, recordings: list[Recording], noises: list[str], layout: Layout) -> None:
    twice = [name for name, n in Counter(r.name for r in recordings).items() if n > 1]
    if twice:
        raise _odd(path, f"holds {twice[0]} twice")
    counts = Counter(recording.word for recording in recordings)
    for word in sorted(set(counts) | set(layout.clips)):
        expected = layout.clips.get(word, 0)
        if counts[word] != expected:
            raise _odd(path, f"holds {counts[word]:,} clips of {word!r}, not {expected:,}")
    if len(noises) != layout.noises:
        raise _odd(path, f"holds {len(noises)} recordings of noise, not {layout.noises}")


def _odd(path: Path, problem: str) -> UserError:
    return UserError(
        f"{path} {problem}: not Speech Commands v0.02, fetch the official archive again"
    )
