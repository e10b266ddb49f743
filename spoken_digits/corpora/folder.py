"""The user's own recordings: any words, any speakers, any format libsndfile reads.

The label is the name of the folder that a file lies in (``yes/anna_3.wav``), or is taken from
the file's path by a regular expression with the groups ``label`` and, if wanted, ``speaker``
and ``take``. The folder ``_noise_`` is no word: it holds recordings in which nobody speaks. Files
that are not audio are skipped; `listing` decides which those are.

Mono WAV files are kept as they are; everything else is stored as mono 16-bit WAV at its own
sample rate, several channels averaged. Names are composed Unicode (NFC).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoken_digits import audio
from spoken_digits.audio import AudioError, AudioFormat
from spoken_digits.corpora.base import Corpus, balanced
from spoken_digits.corpora.listing import (
    Listing,
    Recording,
    count_by_ending,
    list_recordings,
    shorten,
)
from spoken_digits.corpora.repeats import Repeats
from spoken_digits.data.clips import Clip
from spoken_digits.data.manifest import UNKNOWN_SPEAKER
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

_EXPERIMENTS = (".dvc", "tmp", "exps")
"""Folders under which DVC runs queued experiments, in copies that hold tracked files only."""

NOISE = "_noise_"
"""Folder of recordings in which nobody speaks: no word, but what `_silence_` is learned from."""

_LONG_TAKE = 19
"""Digits that no longer fit int64."""


@dataclass(frozen=True)
class _Entry:
    recording: Recording
    label: str
    speaker: str
    take: int


def open_folder(path: Path, limit: int | None, label_pattern: str | None) -> Corpus:
    """The recordings under `path`.

    Raises
    ------
    UserError
        The folder is missing, empty or holds fewer than two words; the pattern does not match;
        or there is no pattern and the words are ambiguous.
    """
    if not path.is_dir():
        raise UserError(_missing(path, "is not a folder"))
    listing = list_recordings(path)
    recordings = [recording for recording in listing.recordings if not _is_noise(recording)]
    if not recordings:
        raise UserError(_missing(path, "holds no recordings"))
    if not label_pattern:
        _check_depth(recordings, path)
        entries = [_from_folder(recording, path) for recording in recordings]
    else:
        pattern = _compile(label_pattern)
        entries = [_from_pattern(recording, pattern) for recording in recordings]
    entries = _with_takes(entries)
    if len({entry.label for entry in entries}) < 2:
        raise UserError(
            f"corpus.path {path} holds only the word {entries[0].label!r}: "
            "a recogniser needs two or more words, one folder each"
        )
    entries = balanced(entries, limit, [(e.take, e.speaker, e.label) for e in entries])
    notes = _notes(path, listing)
    return Corpus(
        name="folder",
        title="Own recordings",
        version="",
        source="own recordings",
        licence="the owner's",
        synthetic=False,
        n_clips=len(entries),
        clips=_clips(entries, notes),
        audio_format=None,
        notes=notes,
    )


def noise_files(path: Path) -> list[Path]:
    """The recordings in the folder `_noise_` under `path`, sorted; none without it.

    Raises
    ------
    UserError
        As of `list_recordings`.
    """
    if not (path / NOISE).is_dir():
        return []
    return [recording.file for recording in list_recordings(path / NOISE).recordings]


def _is_noise(recording: Recording) -> bool:
    return recording.name.partition("/")[0] == NOISE


def _missing(path: Path, fault: str) -> str:
    """The error for a missing or unsuitable folder."""
    where = Path.cwd().joinpath(path).parts
    if any(where[i : i + 3] == _EXPERIMENTS for i in range(len(where))):
        return (
            f"corpus.path {path} {fault} in this experiment's copy of the repository, which has "
            "only files that git tracks: use -S corpus.path=/absolute/path"
        )
    return (
        f"corpus.path {path} {fault}: put yours there, one folder a word, or name another "
        "folder with -S corpus.path=/absolute/path"
    )


def _notes(path: Path, listing: Listing) -> list[str]:
    notes = []
    n_noises = sum(map(_is_noise, listing.recordings))
    if n_noises:
        notes.append(f"{n_noises} recording(s) in {NOISE}/ are noise, not a word")
    if listing.passed_over:
        notes.append(
            f"skipped {len(listing.passed_over)} file(s) that are not audio or stand beside "
            f"their converted copy: {count_by_ending(listing.passed_over)}"
        )
    if listing.linked_folders:
        notes.append(
            f"DVC does not look into linked folders ({shorten(listing.linked_folders)}): "
            "after a change there run `dvc repro --force download`"
        )
    if path.is_symlink() and not path.is_absolute():
        notes.append(
            f"corpus.path {path} is a link: if it stands in the place of a folder that git "
            "tracks, `dvc exp run` stops at a merge conflict; put the folder back with "
            f"`git checkout {path}` and use -S corpus.path=/absolute/path"
        )
    return notes


def _compile(label_pattern: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(unicodedata.normalize("NFC", label_pattern))
    except re.error as error:
        raise UserError(
            f"params.yaml: `corpus.label_pattern` is not a regular expression ({error})"
        ) from None
    if "label" not in pattern.groupindex:
        raise UserError(
            "params.yaml: `corpus.label_pattern` needs a group named label, as in "
            r"(?P<label>[a-z]+)_(?P<speaker>\w+)_(?P<take>\d+)"
        )
    return pattern


def _from_pattern(recording: Recording, pattern: re.Pattern[str]) -> _Entry:
    """Label, speaker and take from the groups of `pattern`; a take of -1 is counted later."""
    match = pattern.search(recording.name)
    found = match.groupdict() if match else {}
    if not found.get("label"):
        raise UserError(
            f"{recording.file} does not fit corpus.label_pattern {pattern.pattern!r}: "
            "rename it or mend the pattern"
        )
    take = found.get("take") or ""
    number = int(take) if take.isdecimal() and len(take) < _LONG_TAKE else -1
    return _Entry(recording, found["label"], found.get("speaker") or UNKNOWN_SPEAKER, number)


def _from_folder(recording: Recording, path: Path) -> _Entry:
    """The name of the folder as the label."""
    folder, _, rest = recording.name.partition("/")
    if not rest:
        raise UserError(
            f"{recording.file} lies in no word's folder: move it to {path}/<word>/, "
            "or set corpus.label_pattern"
        )
    return _Entry(recording, folder, UNKNOWN_SPEAKER, -1)


def _check_depth(recordings: Sequence[Recording], path: Path) -> None:
    """Refuse a tree deeper than one folder a word: words of speakers, or speakers of words?

    Confusing the two would train a speaker recogniser.
    """
    trees = [tree for tree in (recording.name.split("/")[:-1] for recording in recordings) if tree]
    depth = max(map(len, trees), default=0)
    if depth < 2:
        return
    deep = [tree for tree in trees if len(tree) == depth]
    outer, inner = (shorten(sorted({tree[i] for tree in deep}), 5) for i in (0, -1))
    between = "[^/]+/" * (depth - 2)
    raise UserError(
        f"corpus.path {path} holds recordings {depth} folders deep, as in {'/'.join(deep[0])}/: "
        f"which folder is the word? If it is the outer ({outer}), set corpus.label_pattern to "
        f"'(?P<label>[^/]+)/(?P<speaker>[^/]+)/'; if it is the inner ({inner}), "
        f"set corpus.label_pattern to '(?P<speaker>[^/]+)/{between}(?P<label>[^/]+)/'"
    )


def _with_takes(entries: Sequence[_Entry]) -> list[_Entry]:
    """Number the takes that the names do not give, for each word and speaker."""
    n_takes: Counter[tuple[str, str]] = Counter()
    numbered = []
    for entry in entries:
        take = entry.take if entry.take >= 0 else n_takes[entry.label, entry.speaker]
        n_takes[entry.label, entry.speaker] += 1
        numbered.append(_Entry(entry.recording, entry.label, entry.speaker, take))
    return numbered


def _clips(entries: Sequence[_Entry], notes: list[str]) -> Iterator[Clip]:
    """The clips one by one; oddities are added to `notes`.

    Raises
    ------
    UserError
        At the end, so that it names all recordings that cannot be used.
    """
    unusable: list[AudioError] = []
    odd: defaultdict[str, list[str]] = defaultdict(list)
    repeats = Repeats()
    for entry in entries:
        file = entry.recording.file
        try:
            content = audio.read_bytes(file, str(file))
            waveform, audio_format = audio.decode(content, str(file))
        except AudioError as error:
            unusable.append(error)
            continue
        if audio_format.note:
            odd[audio_format.note].append(entry.recording.name)
        repeats.add(sha256(waveform.tobytes()), entry.label, str(file))
        name = entry.recording.wav_name
        yield Clip(
            utterance=name.removesuffix(".wav"),
            path=name,
            label=entry.label,
            speaker=entry.speaker,
            take=entry.take,
            wav=content
            if _is_kept(audio_format)
            else audio.to_wav(waveform, audio_format.sample_rate),
        )
    if unusable:
        raise UserError(_describe(unusable, len(entries)))
    repeats.check()
    notes += [f"{note}: {shorten(names)}" for note, names in odd.items()]


def _is_kept(audio_format: AudioFormat) -> bool:
    """Whether a file goes into the archive byte for byte."""
    is_mono_wav = audio_format.container == "WAV" and audio_format.n_channels == 1
    return is_mono_wav and not audio_format.note


def _describe(unusable: Sequence[AudioError], n_recordings: int) -> str:
    """One line for all unusable recordings, grouped by reason."""
    if len(unusable) == 1:
        return str(unusable[0])
    by_reason: defaultdict[str, list[AudioError]] = defaultdict(list)
    for error in unusable:
        by_reason[error.reason].append(error)
    groups = []
    for reason, errors in by_reason.items():
        names = shorten([error.name for error in errors])
        example = "for example, " if len(errors) > 1 else ""
        groups.append(f"{names}: {reason}, {example}{errors[0].remedy}")
    return f"{len(unusable)} of {n_recordings} recordings cannot be used: {'; '.join(groups)}"
