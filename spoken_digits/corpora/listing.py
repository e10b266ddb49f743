"""List the recordings under a folder: links are followed, other files skipped and named."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spoken_digits import audio
from spoken_digits.audio import Kind
from spoken_digits.errors import UserError


@dataclass(frozen=True)
class Recording:
    """One file that holds, or should hold, a recording."""

    file: Path
    name: str
    """Path below the corpus's folder, composed Unicode (NFC), with the file's own ending."""

    @property
    def wav_name(self) -> str:
        """`name` ending in .wav: the recording's name in the archive."""
        return PurePosixPath(self.name).with_suffix(".wav").as_posix()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The content of a folder."""

    recordings: Sequence[Recording]
    """Sorted by `wav_name`, which is unique unless twins were asked for."""
    passed_over: Sequence[str]
    """Names of the files that are not recordings, hidden files excepted."""
    linked_folders: Sequence[str]
    """Folders that are links, which DVC does not look into."""


def list_recordings(top: Path, *, twins: bool = False) -> Listing:
    """Every recording under `top`.

    Parameters
    ----------
    top
        The folder.
    twins
        Whether names may differ only in their ending or Unicode form, as where each file is asked
        about by itself; of a corpus, both would have one name.

    Raises
    ------
    UserError
        A link is broken or circular, a folder cannot be read, a name is not printable text, or
        without `twins`, the names of two recordings differ only in their ending or Unicode form.
    """
    recordings: dict[str, list[Recording]] = defaultdict(list)
    foreign: set[str] = set()
    passed_over: list[str] = []
    linked: list[str] = []
    for file in _walk(top, linked):
        name = _readable_name(file, top)
        kind = audio.kind_of(file) if file.is_file() else Kind.OTHER
        if kind is Kind.OTHER:
            passed_over.append(name)
            continue
        recording = Recording(file, name)
        recordings[recording.wav_name].append(recording)
        if kind is Kind.FOREIGN:
            foreign.add(name)
    chosen = []
    for _, same in sorted(recordings.items()):
        # The source of a conversion may stay beside its result.
        sound = [one for one in same if one.name not in foreign] or same
        passed_over += [one.name for one in same if one not in sound]
        if not twins:
            _check_unique(sound)
        chosen += sound
    return Listing(recordings=chosen, passed_over=sorted(passed_over), linked_folders=linked)


def _walk(top: Path, linked: list[str]) -> Iterator[Path]:
    """Visible files below `top`, following links; linked folders are appended to `linked`."""

    def stop(error: OSError) -> None:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}): check the folder")

    for folder, folders, files in os.walk(top, onerror=stop, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(folder, name) for name in folders):
            if path.is_symlink():
                _check_no_circle(path)
                linked.append(_readable_name(path, top))
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith("."):
                continue
            if not path.exists():
                raise UserError(f"{path} is a link to a missing file or folder: mend or remove it")
            yield path


def _check_no_circle(link: Path) -> None:
    if link.resolve() in (parent.resolve() for parent in link.parents):
        raise UserError(f"{link} is a link to a folder that holds it: remove the link")


def _readable_name(file: Path, top: Path) -> str:
    """Name below `top` in composed Unicode: file systems store different forms."""
    name = unicodedata.normalize("NFC", file.relative_to(top).as_posix())
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise UserError(
            f"{str(file)!r} has control characters or invalid UTF-8 in its name: rename it"
        )
    return name


def _check_unique(twins: list[Recording]) -> None:
    if len(twins) == 1:
        return
    first, second = twins[:2]
    if first.name == second.name:
        raise UserError(
            f"{first.file} and {second.file} have the same name, once with composed and once with "
            f"decomposed letters ({str(first.file)!a}, {str(second.file)!a}): "
            "rename one of them"
        )
    raise UserError(
        f"{second.file} and {first.file} differ only in their ending: rename or remove one of them"
    )


def count_by_ending(names: Sequence[str]) -> str:
    """Summarise `names` by ending: ``3 .TextGrid, Thumbs.db``."""
    endings = Counter(PurePosixPath(name).suffix or name for name in names)
    single = {PurePosixPath(name).suffix or name: name for name in names}
    words = [f"{n} {ending}" if n > 1 else single[ending] for ending, n in endings.most_common()]
    return shorten(words)


def shorten(names: Sequence[str], most: int = 50) -> str:
    """`names` joined by commas; those after the first `most` are only counted."""
    more = [f"and {len(names) - most:,} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])
