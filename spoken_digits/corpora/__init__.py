"""All corpora; `open_corpus` opens the one that params.yaml names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spoken_digits.corpora import archives, audiomnist, fsdd
from spoken_digits.corpora.base import Corpus


@dataclass(frozen=True, kw_only=True)
class SyntheticParams:
    """Section `corpus.synthetic`."""

    profile: Literal["quick", "fsdd", "audiomnist"]
    """Size: quick 60 speakers x 5 takes, fsdd 6 x 50, audiomnist 60 x 50 at 48 kHz."""
    seed: int
    """Draws the voices and takes."""


@dataclass(frozen=True, kw_only=True)
class CorpusParams:
    """Section `corpus`."""

    name: Literal["fsdd", "audiomnist", "synthetic", "folder"]
    """Which corpus."""
    path: str
    """folder: where the user's recordings lie; absolute if experiments run in the queue."""
    limit: int | None
    """Largest number of clips, spread over words and speakers; null takes all."""
    label_pattern: str | None
    """folder: regular expression with groups label, speaker, take; null: the folder is the word."""
    known_faults: Literal["exclude", "keep"]
    """audiomnist: what to do with the utterances known to be wrong."""
    synthetic: SyntheticParams

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit` is {self.limit}, must be 1 or more, or null for all")


def open_corpus(params: CorpusParams, root: Path) -> Corpus:
    """The corpus that `params` names. `root` is the top of the checkout.

    Raises
    ------
    UserError
        The corpus cannot be found or is not as it should be.
    """
    if params.name == "fsdd":
        return fsdd.open_fsdd(root, params.limit)
    if params.name == "audiomnist":
        return audiomnist.open_audiomnist(root, params.limit, params.known_faults)
    if params.name == "synthetic":
        from spoken_digits.corpora import synthetic

        return synthetic.open_synthetic(
            params.synthetic.profile, params.synthetic.seed, params.limit
        )
    from spoken_digits.corpora import folder

    return folder.open_folder(_own_folder(params, root), params.limit, params.label_pattern)


def _own_folder(params: CorpusParams, root: Path) -> Path:
    """`corpus.path`, as the user wrote it where that leads there from the current folder."""
    path = root / params.path
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def reachable(params: CorpusParams, root: Path) -> bool:
    """Whether the corpus is available here, found without fetching it."""
    if params.name == "fsdd":
        return archives.reachable(fsdd.ARCHIVE_NAMES, fsdd.URL, root)
    if params.name == "audiomnist":
        return archives.reachable(audiomnist.ARCHIVE_NAMES, audiomnist.URL, root)
    return params.name == "synthetic" or (root / params.path).is_dir()
