"""Accuracy of a model on distorted test clips."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from spoken_digits import audio
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.dataset import Subset
from spoken_digits.errors import UserError
from spoken_digits.evaluation.conditions import Babble, Condition, Recording
from spoken_digits.evaluation.distortion import Samples
from spoken_digits.evaluation.inference import check_finite, predict
from spoken_digits.features.base import Extractor
from spoken_digits.models.card import ModelCard

_BLOCK = 256
"""Clips at once: their spectrograms take 16 MB."""
_KEPT = 2048
"""Decoded clips that stay in memory: 30 MB at 8 kHz."""


class TestClips:
    """The test clips of a corpus, decoded when they are asked for.

    No other clip can be reached through it.
    """

    __test__ = False  # for pytest

    def __init__(
        self, archive: ClipArchive, manifest: pd.DataFrame, test_rows: NDArray[np.int64]
    ) -> None:
        self._archive, self._manifest = archive, manifest
        self.rows = test_rows
        """(n_test,) rows of the manifest."""
        self.speakers = manifest["speaker"].to_numpy()[test_rows]
        """(n_test,)."""
        self.utterances = manifest["utterance"].to_numpy()[test_rows]
        """(n_test,)."""
        self.read = functools.lru_cache(maxsize=_KEPT)(self._read)
        """The recording at a position among the test clips."""

    def __len__(self) -> int:
        return len(self.rows)

    def _read(self, position: int) -> Recording:
        row = self._manifest.iloc[self.rows[position]]
        content = self._archive.read(row["path"], row["sha256"])
        waveform, audio_format = audio.decode(content, row["path"])
        return Recording(
            utterance=row["utterance"],
            speaker=row["speaker"],
            samples=waveform.astype(np.float64),
            sample_rate=audio_format.sample_rate,
        )

    def spread(self, n: int) -> NDArray[np.int64]:
        """Positions of at most `n` clips in their order, even over words and speakers.

        The choice depends on the utterances' names alone; fewer clips are some of more clips.
        """
        table = self._manifest.iloc[self.rows]
        digests = [hashlib.sha256(name.encode()).hexdigest() for name in table["utterance"]]
        order = table.assign(position=np.arange(len(table)), digest=digests).sort_values("digest")
        order["turn"] = order.groupby(["label", "speaker"]).cumcount()
        chosen = order.sort_values(["turn", "digest"])["position"].to_numpy()[:n]
        return np.sort(chosen)


class Talkers:
    """Babble of other test speakers; of other clips of the speaker where there is only one.

    Raises
    ------
    UserError
        There is no other test clip.
    """

    def __init__(self, clips: TestClips, n_talkers: int) -> None:
        if len(clips) < 2:
            raise UserError(
                "babble needs other test clips, and there is only one: raise `split.test_fraction`"
            )
        self._clips, self._n = clips, n_talkers
        self._of = {name: np.flatnonzero(clips.speakers == name) for name in set(clips.speakers)}

    @property
    def are_others(self) -> bool:
        """Whether the talkers are other people than the speaker of a clip."""
        return len(self._of) > 1

    def __call__(self, clip: Recording, rng: np.random.Generator) -> Samples:
        """Several talkers of equal power, as long as `clip`: (n_samples,) at its rate."""
        total = np.zeros(clip.samples.size)
        for position in self.drawn(clip, rng):
            voice = self._clips.read(position)
            samples = audio.resample(
                voice.samples.astype(np.float32), voice.sample_rate, clip.sample_rate
            ).astype(np.float64)
            samples = np.roll(samples - samples.mean(), rng.integers(samples.size))
            power = samples.var()
            if power > 0:
                total += np.resize(samples, total.size) / np.sqrt(power)
        return total

    def drawn(self, clip: Recording, rng: np.random.Generator) -> list[int]:
        """Positions of the clips that are played, of as many speakers as there are."""
        if not self.are_others:
            others = np.flatnonzero(self._clips.utterances != clip.utterance)
            return [int(position) for position in rng.permutation(others)[: self._n]]
        speakers = sorted(name for name in self._of if name != clip.speaker)
        talkers = np.resize(rng.permutation(speakers), self._n)
        return [int(rng.choice(self._of[name])) for name in talkers]


def accuracies(
    network: nn.Module,
    card: ModelCard,
    extractor: Extractor,
    recordings: Callable[[], Iterator[Recording]],
    actual: NDArray[np.int64],
    conditions: Sequence[Condition],
    babble: Babble,
) -> list[float]:
    """Accuracy under each condition.

    Parameters
    ----------
    network, card, extractor
        The model, its card and its features.
    recordings
        Goes over the test clips, each time in the same order.
    actual
        (n_clips,) their class numbers.
    conditions
        What is done to the clips.
    babble
        Other test speakers.

    Raises
    ------
    UserError
        The network gives NaN or infinity.
    """
    found = []
    with tqdm(
        total=len(conditions) * len(actual), desc=card.name, unit="clip", disable=None
    ) as bar:
        for condition in conditions:
            n_right = 0
            for start, block in _blocks(recordings()):
                waveforms = [
                    audio.resample(condition(clip, babble), clip.sample_rate, extractor.sample_rate)
                    for clip in block
                ]
                predicted = _predicted(network, card, extractor, waveforms)
                n_right += int((predicted == actual[start : start + len(block)]).sum())
                bar.update(len(block))
            found.append(n_right / len(actual))
    return found


def _predicted(
    network: nn.Module, card: ModelCard, extractor: Extractor, waveforms: list[audio.Waveform]
) -> NDArray[np.int64]:
    """Class numbers (n_clips,)."""
    features, n_frames = extractor(waveforms)
    n = len(waveforms)
    clips = Subset(x=features, n_frames=n_frames, y=np.zeros(n, np.int64), rows=np.arange(n))
    logits = predict(network, card.normalise, clips, torch.device("cpu")).numpy()
    check_finite(logits)
    return np.asarray(logits.argmax(axis=1))


def _blocks(recordings: Iterator[Recording]) -> Iterator[tuple[int, list[Recording]]]:
    """Blocks of recordings, each with the number of its first one."""
    block: list[Recording] = []
    start = 0
    for recording in recordings:
        block.append(recording)
        if len(block) == _BLOCK:
            yield start, block
            start, block = start + len(block), []
    if block:
        yield start, block
