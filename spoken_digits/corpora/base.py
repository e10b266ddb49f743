"""The interface of every corpus module to the `download` stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from spoken_digits.audio import AudioFormat
from spoken_digits.data.clips import Clip


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus, ready to be read."""

    name: str
    """Value of `corpus.name` in params.yaml."""
    title: str
    """Name for tables and pages."""
    version: str
    source: str
    """Address, or how it was made."""
    licence: str
    synthetic: bool
    """True for synthetic speech: every figure from it must be labelled so."""
    n_clips: int
    """Clips that `clips` yields at most, for the progress bar."""
    clips: Iterator[Clip]
    """Sorted by path."""
    audio_format: AudioFormat | None
    """Format of every clip; None if any will do."""
    fingerprint: str | None = None
    """Known fingerprint of the whole corpus; None where none is published or limits apply."""
    role: str | None = None
    """The one use that its clips may be put to; None: split as params.yaml says."""
    speaker_folds: Sequence[Sequence[str]] | None = None
    """Published speaker-disjoint folds: the test speakers of each."""
    official_test_takes: Sequence[int] | None = None
    """Takes that the corpus's authors set aside for testing."""
    speakers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Metadata of each speaker: columns added to the manifest."""
    notes: Sequence[str] = ()
    """Notes for the user, printed and kept in provenance.json; complete once `clips` is
    exhausted."""


WAV_8_KHZ = AudioFormat(sample_rate=8000, n_channels=1, subtype="PCM_16", container="WAV")
WAV_48_KHZ = AudioFormat(sample_rate=48000, n_channels=1, subtype="PCM_16", container="WAV")

T = TypeVar("T")


def balanced(
    entries: Sequence[T], limit: int | None, groups: Sequence[tuple[int, str, str]]
) -> list[T]:
    """At most `limit` of the entries, spread over labels and speakers, in their original order.

    Parameters
    ----------
    entries
        All of them.
    limit
        How many to keep; None keeps all.
    groups
        (take, speaker, label) of each entry: low takes are kept first, for all speakers and labels.
    """
    if limit is None or limit >= len(entries):
        return list(entries)
    order = sorted(range(len(entries)), key=lambda i: groups[i])[:limit]
    return [entries[i] for i in sorted(order)]
