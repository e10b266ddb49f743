"""Recordings checked as they enter the corpus: every clip is decoded once."""

from __future__ import annotations

from spoken_digits import audio
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256


def row(clip: Clip, expected: audio.AudioFormat | None) -> dict[str, str | int]:
    """The manifest's row of a clip; the audio is decoded and checked.

    Parameters
    ----------
    clip
        The clip.
    expected
        The format that the corpus promises; None where any will do.

    Raises
    ------
    UserError
        The clip cannot be decoded or is not in the promised format.
    """
    waveform, audio_format = audio.decode(clip.wav, clip.path)
    if expected is not None and audio_format != expected:
        raise UserError(
            f"{clip.path} is {_in_words(audio_format)}, this corpus is {_in_words(expected)}: "
            "fetch the archive again, or use corpus.name=folder for recordings of your own"
        )
    return {
        "utterance": clip.utterance,
        "path": clip.path,
        "label": clip.label,
        "speaker": clip.speaker,
        "take": clip.take,
        "sample_rate": audio_format.sample_rate,
        "n_samples": waveform.size,
        "sha256": sha256(clip.wav),
    }


def _in_words(audio_format: audio.AudioFormat) -> str:
    return (
        f"{audio_format.container} {audio_format.subtype}, {audio_format.n_channels} channel(s), "
        f"{audio_format.sample_rate} Hz{audio_format.note and f', {audio_format.note}'}"
    )
