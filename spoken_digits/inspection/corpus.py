"""A folder of own recordings, looked at before anything is trained on it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spoken_digits import audio
from spoken_digits.corpora.folder import open_folder
from spoken_digits.corpora.listing import list_recordings, shorten
from spoken_digits.data import ingest
from spoken_digits.data.manifest import UNKNOWN_SPEAKER, labels
from spoken_digits.errors import UserError
from spoken_digits.inspection.quality import Quality, measure

SPEAKER_TAKE = "(?P<label>.+)/(?P<speaker>.+)[_-](?P<take>[0-9]+)[.]"
"""``word/speaker_take.wav``: what `spoken-digits record` writes. Short enough for DVC to write it
into one line of params.yaml.
"""
FEW_SPEAKERS = 3
"""With fewer, leaving one out says little of other voices."""
FEW_TAKES = 10
"""Recordings of a word by a speaker; fewer teach little."""
_TRUSTED = 0.8
"""Share of a speaker's other takes of a word that a network must have heard right."""


@dataclass(frozen=True, kw_only=True)
class OwnWords:
    """The recordings of a folder."""

    path: Path
    pattern: str | None
    """How label, speaker and take are read from the names; None: the folder is the word."""
    manifest: pd.DataFrame
    """As the corpus will have it, one row a recording."""
    quality: list[Quality]
    """Of each recording."""
    notes: list[str]
    """What was skipped or mended."""

    @property
    def words(self) -> list[str]:
        """In the order of classes."""
        return labels(self.manifest)

    @property
    def speakers(self) -> list[str]:
        """Sorted; empty where the names do not tell."""
        return sorted(set(self.manifest["speaker"]) - {UNKNOWN_SPEAKER})

    def counts(self) -> pd.DataFrame:
        """Recordings by word (rows) and speaker (columns)."""
        table = pd.crosstab(self.manifest["label"], self.manifest["speaker"])
        return table.reindex(index=self.words)


def look(path: Path, pattern: str | None = None, *, find_speakers: bool = True) -> OwnWords:
    """Read and measure every recording of a folder.

    Parameters
    ----------
    path
        The folder.
    pattern
        `corpus.label_pattern`; None finds the speakers where all names are `SPEAKER_TAKE`.
    find_speakers
        Whether to do so.

    Raises
    ------
    UserError
        As `open_folder` and the corpus it opens: nothing there, one word only, unusable files.
    """
    if pattern is None and find_speakers and path.is_dir():
        pattern = _pattern_of([one.name for one in list_recordings(path).recordings])
    try:
        corpus = open_folder(path, None, pattern)
    except UserError as error:
        raise UserError(_of_the_command(str(error))) from None
    rows, quality = [], []
    for clip in corpus.clips:
        rows.append(ingest.row(clip, None))
        waveform, audio_format = audio.decode(clip.wav, clip.path)
        quality.append(measure(waveform, audio_format.sample_rate))
    return OwnWords(
        path=path,
        pattern=pattern,
        manifest=pd.DataFrame(rows),
        quality=quality,
        notes=list(corpus.notes),
    )


_OF_THE_COMMAND = {
    "params.yaml: `corpus.label_pattern`": "--pattern",
    "set corpus.label_pattern to": "give --pattern",
    "set corpus.label_pattern": "give --pattern",
    "corpus.label_pattern": "--pattern",
    " with -S corpus.path=/absolute/path": "",
    "corpus.path ": "",
}
"""What errors of the corpus say -> what its user types here; applied in this order."""


def _of_the_command(message: str) -> str:
    """A message about keys of params.yaml, which this user has not set, about options instead."""
    for key, option in _OF_THE_COMMAND.items():
        message = message.replace(key, option)
    return message


def _pattern_of(names: Sequence[str]) -> str | None:
    """`SPEAKER_TAKE` if all names fit it, one folder deep, and some speaker says two words.

    In ``yes/yes_1.wav`` and ``no/no_1.wav`` what looks like a speaker is the word again.
    """
    fits = re.compile(SPEAKER_TAKE)
    words: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        match = fits.match(name)
        if match is None or name.count("/") != 1:
            return None
        words[match["speaker"]].add(match["label"])
    return SPEAKER_TAKE if any(len(said) > 1 for said in words.values()) else None


def gaps(own: OwnWords) -> Iterator[str]:
    """What the recordings lack, each in one line with what to do."""
    if not own.speakers:
        yield (
            "the names do not say who speaks, so nothing can be said of other voices: name files "
            "<word>/<speaker>_<take>.wav, or give --pattern with a group (?P<speaker>...)"
        )
        return
    counts = own.counts()
    if len(own.speakers) < FEW_SPEAKERS:
        yield (
            f"{len(own.speakers)} speaker(s), {shorten(own.speakers)}: expect it to work for them; "
            f"{FEW_SPEAKERS} or more, of different age and sex, tell something of others"
        )
    for speaker in own.speakers:
        missing = counts.index[counts[speaker] == 0].tolist()
        if missing:
            yield f"{speaker} never says {shorten(missing, 8)}: have these words recorded too"
    totals = counts.sum(axis=1)
    few = totals.index[totals < FEW_TAKES * len(own.speakers)].tolist()
    if few:
        yield (
            f"fewer than {FEW_TAKES} takes a speaker of {shorten(few, 8)}: record more, "
            "20 are good, on several days and places"
        )


def said_by_one(own: OwnWords) -> list[str]:
    """Words of a single speaker: without that speaker nobody would teach them."""
    speakers = own.counts().gt(0).sum(axis=1)
    return [str(word) for word in speakers.index[speakers == 1]]


def repeated(own: OwnWords) -> list[list[str]]:
    """Recordings that are the same to the bit, each group by name."""
    twice = own.manifest[own.manifest["sha256"].duplicated(keep=False)]
    return [group.tolist() for _, group in twice.groupby("sha256")["utterance"]]


def faults(own: OwnWords) -> list[tuple[str, str]]:
    """Recordings with a problem: name and problem, worst kinds first."""
    found = [
        (str(name), problem)
        for name, quality in zip(own.manifest["utterance"], own.quality, strict=True)
        for problem in quality.problems()
    ]
    kinds = Counter(problem.partition(":")[0] for _, problem in found)
    return sorted(found, key=lambda one: (-kinds[one[1].partition(":")[0]], one[0]))


def likely_mislabels(own: OwnWords, predictions: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Recordings that all networks hear as the same other word, none of which heard the speaker.

    Only where they are right about the speaker's other takes of the word: a word that they never
    understand of somebody tells of them, not of the label.

    Parameters
    ----------
    own
        The recordings.
    predictions
        Columns utterance, sha256 of the recording, speaker, actual and one a network, as stage
        `expect` writes them. Of recordings other than those in `own` they say nothing.

    Returns
    -------
    list of (utterance, label, word that all heard)
    """
    keys = ["utterance", "sha256"]
    if not set(keys) <= set(predictions):  # of an earlier version
        return []
    networks = [c for c in predictions if c not in (*keys, "speaker", "actual")]
    known = predictions.merge(own.manifest[[*keys, "label"]], on=keys)
    # A recording may have been moved to another word since.
    known = known[known["label"] == known["actual"]]
    right = known[networks].eq(known["label"], axis=0).all(axis=1)
    agreed = known[networks].nunique(axis=1).eq(1) & known[networks[0]].ne(known["label"])
    n_right = right.groupby([known["speaker"], known["label"]]).transform("sum")
    n_takes = right.groupby([known["speaker"], known["label"]]).transform("size")
    found = known[agreed & (n_right >= _TRUSTED * (n_takes - 1)) & (n_takes > 1)]
    return list(zip(found["utterance"], found["label"], found[networks[0]], strict=True))
