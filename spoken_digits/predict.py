"""Recognise the word in a recording.

Run     python -m spoken_digits.predict [--threshold P] MODEL.safetensors FILE...

The model file alone suffices: it carries its labels, features and normalisation. Where it says
`_silence_` or `_unknown_`, or a word is less likely than the threshold, no word is the answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits import audio, errors
from spoken_digits.audio import Waveform
from spoken_digits.evaluation.metrics import probabilities
from spoken_digits.features.lengths import heard_part, heard_s
from spoken_digits.features.registry import extractor_from
from spoken_digits.models.model_file import read_model
from spoken_digits.quantization.loading import load_any
from spoken_digits.rejection.labels import NOT_WORDS


class Recogniser:
    """A trained model with its front-end: waveforms in, probabilities out."""

    def __init__(self, path: Path) -> None:
        self.card, tensors = read_model(path)
        try:
            self._network = load_any(self.card, tensors)
        except errors.UserError as error:
            raise errors.UserError(f"{path}: {error}") from None
        self._path, self._extract = path, extractor_from(self.card.features)
        self.heard_s = heard_s(self._extract)
        """Seconds of a recording that the model uses."""

    def heard_part(self, waveform: Waveform, sample_rate: int) -> tuple[float, float]:
        """Where the part of a recording that the model uses begins and ends, seconds."""
        return heard_part(self._extract, waveform, sample_rate)

    @torch.inference_mode()
    def __call__(self, waveform: Waveform, sample_rate: int) -> NDArray[np.float64]:
        """Probability of each label, (n_labels,), for one clip.

        Parameters
        ----------
        waveform
            (n_samples,) float32, any level.
        sample_rate
            Hz, any.

        Raises
        ------
        UserError
            The model's weights overflow on this clip.
        """
        clip = audio.resample(waveform, sample_rate, self._extract.sample_rate)
        features, n_frames = self._extract([clip])
        x = self.card.normalise(torch.from_numpy(features))  # (1, n_frames, n_coefficients)
        logits = self._network(x, torch.from_numpy(n_frames))  # (1, n_labels)
        if not torch.isfinite(logits).all():
            raise errors.UserError(
                f"{self._path} gives no probabilities (NaN or infinity): "
                "make it again with `dvc repro train`"
            )
        return np.asarray(probabilities(logits.numpy().astype(np.float64))[0])


def main() -> None:
    arguments = _parse_arguments()
    recogniser = Recogniser(arguments.model)
    n_failed = 0
    for file in arguments.files:
        try:
            waveform, audio_format = audio.read(file)
        except errors.UserError as error:
            errors.report(error)
            n_failed += 1
            continue
        if audio_format.note:
            errors.warn(f"{file}: {audio_format.note}")
        duration_s = waveform.size / audio_format.sample_rate
        if duration_s > recogniser.heard_s:
            start_s, end_s = recogniser.heard_part(waveform, audio_format.sample_rate)
            part = f"{start_s:.2f} to {end_s:.2f} s of {duration_s:.2f} s"
            errors.warn(f"{file}: only {part} are heard")
        chances = recogniser(waveform, audio_format.sample_rate)
        print(_line(file, chances, recogniser.card.labels, arguments.threshold))
    if n_failed:
        raise errors.UserError(f"{n_failed} of {len(arguments.files)} files could not be read")


def _line(file: Path, chances: NDArray[np.float64], labels: Sequence[str], threshold: float) -> str:
    order = np.argsort(-chances, kind="stable")
    words = [errors.printable(label) for label in labels]
    ranked = "  ".join(f"{words[i]} {chances[i]:.4f}" for i in order)
    best = order[0]
    is_word = labels[best] not in NOT_WORDS and chances[best] >= threshold
    answer = words[best] if is_word else "(not one of the words)"
    return f"{errors.printable(str(file))}: {answer}    {ranked}"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m spoken_digits.predict",
        description="The word in each recording, with the probability of every word.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL.safetensors")
    parser.add_argument(
        "--threshold",
        type=_probability,
        default=0.0,
        metavar="P",
        help="least probability of a word that is an answer, such as those in metrics/rejection/; "
        "default: %(default)s",
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="any audio file")
    return parser.parse_args()


def _probability(text: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{errors.shown(text)} is no probability, from 0 to 1")
    return number


if __name__ == "__main__":
    errors.run(main)
