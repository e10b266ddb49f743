"""Google Speech Commands v0.02.

Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition", 2018,
arXiv:1804.03209, CC BY 4.0. 105,829 WAV files of at most one second, 16 kHz mono 16 bit, 35
English words by 2,618 speakers on their own microphones; 2.4 GB packed, 3.5 GB unpacked.

`layout` describes the archive, `tasks` the three sets of classes, `silence` the cuts of noise.

No fingerprint of the clips is known: names, counts and lists are checked in full, a fetched
archive also by its published SHA-256.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from spoken_digits.audio import AudioFormat
from spoken_digits.corpora.archives import obtain
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.listing import shorten
from spoken_digits.corpora.speech_commands.layout import (
    ARCHIVE_NAMES,
    LIMITS,
    MAX_BYTES,
    PUBLISHED,
    URL,
    Contents,
    Layout,
    check_digest,
    read_contents,
)
from spoken_digits.corpora.speech_commands.silence import SAMPLE_RATE, cut
from spoken_digits.corpora.speech_commands.tasks import Entry, Words, entries
from spoken_digits.corpora.unpack import Archive
from spoken_digits.data.clips import Clip
from spoken_digits.io.files import sha256

__all__ = ["ARCHIVE_NAMES", "PUBLISHED", "URL", "Layout", "Words", "open_speech_commands"]

WAV_16_KHZ = AudioFormat(sample_rate=SAMPLE_RATE, n_channels=1, subtype="PCM_16", container="WAV")
_PRECEDENCE = ("test", "val", "train")
_HEADER_BYTES = 44  # of a plain WAV file
_MAX_NAMED = 5


def open_speech_commands(
    root: Path, limit: int | None, words: Words, *, layout: Layout = PUBLISHED
) -> Corpus:
    """The corpus from the first archive in reach.

    Parameters
    ----------
    root
        Top of the checkout.
    limit
        Largest number of clips to keep, as many of each class; None keeps all.
    words
        Which task, see `tasks`.
    layout
        What the archive must hold; another one than the published is for tests.

    Raises
    ------
    UserError
        No archive, a damaged one, or one that is not Speech Commands v0.02.
    """
    contents = obtain(
        ARCHIVE_NAMES,
        URL,
        root,
        open_archive=lambda path: read_contents(path, layout),
        verify=lambda opened: check_digest(opened.path, layout),
        max_bytes=MAX_BYTES,
    )
    chosen = entries(contents, words, limit)
    notes: list[str] = []
    return Corpus(
        name="speech_commands",
        title="Google Speech Commands",
        version="0.02",
        source=URL,
        licence="CC BY 4.0",
        synthetic=False,
        n_clips=len(chosen),
        clips=_clips(contents, chosen, root / "data", notes),
        audio_format=WAV_16_KHZ,
        notes=notes,
    )


def _clips(
    contents: Contents, chosen: list[Entry], folder: Path, notes: list[str]
) -> Iterator[Clip]:
    """The clips with their sound, which waits in `folder`: a tar is not sorted by name."""
    members = {entry.member for entry in chosen}
    archive = Archive(contents.path, limits=LIMITS, held=members.__contains__, disk=folder)
    left_out = _faults(archive, chosen)
    for fault, names in sorted(left_out.items()):
        notes.append(f"{len(names):,} left out, {fault}: {shorten(sorted(names), _MAX_NAMED)}")
    unusable = {name for names in left_out.values() for name in names}
    for entry in chosen:
        if entry.path in unusable:
            continue
        wav = archive.read(entry.member)
        if entry.is_cut:
            wav = cut(wav, PurePosixPath(entry.member).name, entry.subset, entry.take)
        yield Clip(
            utterance=PurePosixPath(entry.path).with_suffix("").as_posix().replace("/", "_"),
            path=entry.path,
            label=entry.label,
            speaker=entry.speaker,
            take=entry.take,
            wav=wav,
            official_subset=entry.subset,
        )


def _faults(archive: Archive, chosen: list[Entry]) -> dict[str, list[str]]:
    """Paths of clips that cannot be used, by reason; the archive is published and cannot be mended.

    Of the same recording in two subsets only the copies of one are kept, test before val before
    train: a clip heard in training must not be tested on, and the test clips stay as published.
    """
    copies: dict[str, list[Entry]] = defaultdict(list)
    faults: dict[str, list[str]] = defaultdict(list)
    for entry in chosen:
        if entry.is_cut:
            continue
        wav = archive.read(entry.member)
        if wav[_HEADER_BYTES:].strip(b"\0"):
            copies[sha256(wav)].append(entry)
        else:
            faults["no sound in it"].append(entry.path)
    for same in copies.values():
        if len({entry.label for entry in same}) > 1:
            faults["the same recording under two words"] += [entry.path for entry in same]
            continue
        kept = min((entry.subset for entry in same), key=_PRECEDENCE.index)
        elsewhere = [entry.path for entry in same if entry.subset != kept]
        if elsewhere:
            faults["the same recording in two subsets"] += elsewhere
    return faults
