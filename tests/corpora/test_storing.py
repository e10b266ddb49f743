"""The checks on each clip that enters a corpus."""

from __future__ import annotations

import pytest
from recordings import tone

from spoken_digits import audio
from spoken_digits.corpora.base import WAV_8_KHZ, Corpus
from spoken_digits.corpora.storing import store
from spoken_digits.data.clips import Clip
from spoken_digits.data.manifest import COLUMNS
from spoken_digits.errors import UserError


def corpus_of(*clips: tuple[str, str, bytes]) -> Corpus:
    """A corpus of (path, label, WAV file)."""
    return Corpus(
        name="published",
        title="Published",
        version="1",
        source="",
        licence="",
        synthetic=False,
        n_clips=len(clips),
        clips=iter(
            Clip(utterance=path, path=path, label=label, speaker="anna", take=0, wav=wav)
            for path, label, wav in clips
        ),
        audio_format=WAV_8_KHZ,
    )


WAV = audio.to_wav(tone(440, 0.1), 8000)


def test_the_same_file_under_two_words_is_refused_in_any_corpus(tmp_path):
    with pytest.raises(UserError, match=r"two words: 0\.wav and 1\.wav"):
        store(corpus_of(("0.wav", "no", WAV), ("1.wav", "yes", WAV)), tmp_path / "a.zip")
    table = store(corpus_of(("0.wav", "no", WAV), ("1.wav", "no", WAV)), tmp_path / "a")
    assert len(table) == 2
    assert list(table) == COLUMNS  # no column that would be empty


def test_a_cut_clip_of_a_published_corpus_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"0\.wav is .*cut short"):
        store(corpus_of(("0.wav", "no", WAV[:-100])), tmp_path / "a.zip")
