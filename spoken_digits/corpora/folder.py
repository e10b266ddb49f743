"""The user's own recordings: any words, any speakers, any format libsndfile reads.

The label is the name of the folder that a file lies in (``yes/anna_3.wav``), or is taken from
the file's path by a regular expression with the groups ``label`` and, if wanted, ``speaker``
and ``take``. Hidden files and texts are passed over; any other file must be audio.

Mono WAV files are kept as they are; everything else is stored as mono 16-bit WAV at its own
sample rate, several channels averaged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spoken_digits import audio
from spoken_digits.corpora.base import Corpus, balanced
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError

_NOT_AUDIO = {".md", ".txt", ".csv", ".json", ".yaml", ".yml", ".gitignore", ".gitkeep", ".dvc"}


@dataclass(frozen=True)
class _Entry:
    file: Path
    name: str
    label: str
    speaker: str
    take: int


def open_folder(path: Path, limit: int | None, label_pattern: str | None) -> Corpus:
    """The recordings under `path`.

    Raises
    ------
    UserError
        The folder is missing, empty, holds fewer than two words, or the pattern does not fit.
    """
    if not path.is_dir():
        raise UserError(
            f"corpus.path {path} is not a folder: give the folder of your recordings "
            "(absolute, if experiments run in the queue), one folder a word"
        )
    files = sorted(
        (
            file
            for file in path.rglob("*")
            if file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
            and file.suffix.lower() not in _NOT_AUDIO
        ),
        key=lambda file: file.relative_to(path).as_posix(),
    )
    if not files:
        raise UserError(
            f"corpus.path {path} holds no recordings: put yours there, one folder a word"
        )
    entries = _parse(files, path, label_pattern)
    words = Counter(entry.label for entry in entries)
    if len(words) < 2:
        raise UserError(
            f"corpus.path {path} holds only the word {entries[0].label!r}: "
            "a recogniser needs two or more words, one folder each"
        )
    groups = [(entry.take, entry.speaker, entry.label) for entry in entries]
    entries = balanced(entries, limit, groups)
    return Corpus(
        name="folder",
        version="",
        source="own recordings",
        licence="the owner's",
        synthetic=False,
        n_clips=len(entries),
        clips=_clips(entries),
        audio_format=None,
    )


def _parse(files: list[Path], path: Path, label_pattern: str | None) -> list[_Entry]:
    try:
        pattern = re.compile(label_pattern) if label_pattern else None
    except re.error as error:
        raise UserError(
            f"params.yaml: `corpus.label_pattern` is not a regular expression ({error})"
        ) from None
    if pattern is not None and "label" not in pattern.groupindex:
        raise UserError(
            "params.yaml: `corpus.label_pattern` needs a group named label, as in "
            r"(?P<label>[a-z]+)_(?P<speaker>\w+)_(?P<take>\d+)"
        )
    entries: list[_Entry] = []
    takes: Counter[tuple[str, str]] = Counter()
    names: dict[str, Path] = {}
    for file in files:
        relative = file.relative_to(path)
        name = relative.with_suffix(".wav").as_posix()
        if name in names:
            raise UserError(
                f"{file} and {names[name]} differ only in their ending: rename one of them"
            )
        names[name] = file
        if pattern is None:
            if len(relative.parts) < 2:
                raise UserError(
                    f"{file} lies in no word's folder: move it to {path}/<word>/, "
                    "or set corpus.label_pattern"
                )
            label, speaker, take = relative.parts[-2], "unknown", None
        else:
            match = pattern.search(relative.as_posix())
            if match is None:
                raise UserError(
                    f"{file} does not fit corpus.label_pattern {label_pattern!r}: "
                    "rename it or mend the pattern"
                )
            found = match.groupdict()
            label, speaker, take = (
                found["label"],
                found.get("speaker") or "unknown",
                found.get("take"),
            )
        number = int(take) if take and take.isdecimal() else takes[label, speaker]
        takes[label, speaker] += 1
        entries.append(_Entry(file, name, label, speaker, number))
    return sorted(entries, key=lambda entry: entry.name)


def _clips(entries: list[_Entry]) -> Iterator[Clip]:
    for entry in entries:
        content = entry.file.read_bytes()
        waveform, found = audio.decode(content, str(entry.file))
        is_mono_wav = found.container == "WAV" and found.n_channels == 1
        yield Clip(
            utterance=entry.name.removesuffix(".wav"),
            path=entry.name,
            label=entry.label,
            speaker=entry.speaker,
            take=entry.take,
            wav=content if is_mono_wav else audio.to_wav(waveform, found.sample_rate),
        )
