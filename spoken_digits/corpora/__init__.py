"""All corpora; `open_corpus` opens the one that params.yaml names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from spoken_digits.bounds import Bounds, CorpusName, Length
from spoken_digits.corpora import archives, audiomnist, fsdd, speech_commands
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.rejection.params import RejectionParams


@dataclass(frozen=True, kw_only=True)
class SyntheticParams:
    """Section `corpus.synthetic`."""

    profile: Literal["quick", "fsdd", "audiomnist"]
    """Size: quick 60 speakers x 5 takes, fsdd 6 x 50, audiomnist 60 x 50 at 48 kHz."""
    seed: Annotated[int, Bounds(0, 2**31 - 1, example=0)]
    """Seed of the voices and takes."""


@dataclass(frozen=True, kw_only=True)
class SpeechCommandsParams:
    """Section `corpus.speech_commands`."""

    words: speech_commands.Words
    """Classes: digits, as labels 0 to 9; twelve, the literature's ten commands, `_unknown_` and
    `_silence_`; all 35 words."""


@dataclass(frozen=True, kw_only=True)
class SpokenCorpusParams(SpokenVoicesParams):
    """Section `corpus.spoken`: Kokoro-82M says any English words."""

    words: Annotated[
        tuple[Annotated[str, Length(1, 100)], ...], Length(2, 1000, example=["yes", "no"])
    ]
    """The words; the figures 0 to 9 are spoken as words."""

    def __post_init__(self) -> None:
        for word, n in Counter(map(str.casefold, self.words)).items():
            if n > 1:
                raise ValueError(f"`words` has {word} {n} times, must have each word once")


@dataclass(frozen=True, kw_only=True)
class CorpusParams:
    """Section `corpus`."""

    name: CorpusName
    """Which corpus."""
    path: Annotated[str, Length(1, 1000, example="data/recordings")]
    """folder: path of your recordings; use an absolute path for queued experiments."""
    limit: Annotated[int, Bounds(1, 1_000_000, example=300)] | None
    """Largest number of clips, spread evenly over words and speakers; null: all."""
    label_pattern: Annotated[str, Length(1, 1000, example=r"(?P<label>\w+)/.*")] | None
    """folder: regular expression for file names, with groups label, speaker and take; null: the
    parent folder is the word."""
    known_faults: Literal["exclude", "keep"]
    """audiomnist: whether to leave out the utterances known to be wrong."""
    extra_voices: bool
    """Whether the five extra voices for training join the train clips, whatever the corpus; makes
    `dvc repro studies/dvc.yaml:voices` necessary once. The 22 strangers never do."""
    rejection: RejectionParams
    """What is none of the words, whatever the corpus; its recordings stay as they are."""
    speech_commands: SpeechCommandsParams
    """Which of its words."""
    synthetic: SyntheticParams
    """How much eSpeak NG says."""
    spoken: SpokenCorpusParams
    """Which words Kokoro-82M says, in which voices."""


def open_corpus(params: CorpusParams, root: Path) -> Corpus:
    """The corpus that `params` names. `root` is the top of the checkout.

    Raises
    ------
    UserError
        The corpus cannot be found, or its content is not as expected.
    """
    if params.name == "fsdd":
        return fsdd.open_fsdd(root, params.limit)
    if params.name == "audiomnist":
        return audiomnist.open_audiomnist(root, params.limit, params.known_faults)
    if params.name == "speech_commands":
        return speech_commands.open_speech_commands(
            root, params.limit, params.speech_commands.words
        )
    if params.name == "synthetic":
        from spoken_digits.corpora import synthetic

        return synthetic.open_synthetic(
            params.synthetic.profile, params.synthetic.seed, params.limit
        )
    if params.name == "spoken":
        from spoken_digits.corpora import spoken_voices

        spoken = params.spoken
        return spoken_voices.open_spoken(root, spoken.words, spoken, params.limit)
    from spoken_digits.corpora import folder

    return folder.open_folder(_own_folder(params, root), params.limit, params.label_pattern)


def _own_folder(params: CorpusParams, root: Path) -> Path:
    """`corpus.path`, kept as the user wrote it if it is valid from the current folder."""
    path = root / params.path
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def reachable(params: CorpusParams, root: Path) -> bool:
    """Whether the corpus is available here; fetches nothing."""
    if params.name == "fsdd":
        return archives.reachable(fsdd.ARCHIVE_NAMES, fsdd.URL, root)
    if params.name == "audiomnist":
        return archives.reachable(audiomnist.ARCHIVE_NAMES, audiomnist.URL, root)
    if params.name == "speech_commands":
        return archives.reachable(speech_commands.ARCHIVE_NAMES, speech_commands.URL, root)
    if params.name == "spoken":
        from spoken_digits.synthesis import kokoro

        return kokoro.reachable(root)
    return params.name == "synthetic" or (root / params.path).is_dir()
