"""What is measured of a recording."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import tone

from spoken_digits.inspection.quality import find_words, measure

RATE = 8000


def said(*words_s: tuple[float, float], seconds: float, noise: float = 0.001) -> np.ndarray:
    """Tones at these times in a little noise."""
    samples = np.random.default_rng(0).normal(0, noise, round(seconds * RATE))
    for start, end in words_s:
        first, last = round(start * RATE), round(end * RATE)
        samples[first:last] += 0.3 * np.sin(np.arange(last - first))
    return samples.astype(np.float32)


def test_words_are_found_where_they_are_said():
    places = [(0.5, 0.9), (1.5, 1.7), (2.6, 3.2)]
    found = find_words(said(*places, seconds=4), RATE)
    assert len(found) == 3
    for (first, last), (start, end) in zip(found, places, strict=True):
        # A margin of 0.1 s on both sides; frames of 10 ms.
        assert first / RATE == pytest.approx(start - 0.1, abs=0.02)
        assert last / RATE == pytest.approx(end + 0.1, abs=0.02)


def test_a_short_pause_is_inside_a_word_and_a_click_is_none():
    word = said((0.5, 0.8), (0.95, 1.2), (2.0, 2.02), seconds=3)
    assert len(find_words(word, RATE)) == 1


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.03])
def test_noise_under_a_word_changes_little(noise):
    assert len(find_words(said((0.5, 0.9), seconds=2, noise=noise), RATE)) == 1


def test_level_and_offset():
    quality = measure((0.5 * np.sin(np.arange(8000)) + 0.1).astype(np.float32), RATE)
    assert quality.peak_dbfs == pytest.approx(20 * np.log10(0.6), abs=0.01)
    assert quality.rms_dbfs == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert quality.offset == pytest.approx(0.1, abs=1e-3)
    assert quality.n_clipped == 0


@pytest.mark.parametrize("gain", [1.0, 0.4])
def test_clipping_is_seen_wherever_the_limit_was(gain):
    wave = np.clip(1.5 * np.sin(np.arange(8000) / 10), -1, 1)
    assert measure((gain * wave).astype(np.float32), RATE).n_clipped > 1000


@pytest.mark.parametrize(
    ("waveform", "problem"),
    [
        (np.clip(20 * said((0.3, 0.8), seconds=1), -0.5, 0.5), "clipped"),
        (said((0.3, 0.8), seconds=1) / 100, "quiet"),
        (said((0.3, 0.8), seconds=1) + 0.2, "its mean is"),
        (said((0.3, 0.8), (1.5, 1.9), seconds=2), "2 words"),
        (said((0.3, 4.0), seconds=5), "longer than a word"),
        (np.full(8000, 0.5), "nothing stands out"),
    ],
)
def test_every_problem_has_a_line_with_what_to_do(waveform, problem):
    found = measure(waveform.astype(np.float32), RATE).problems()
    assert [line for line in found if problem in line]


def test_a_good_take_has_no_problem():
    assert measure(said((0.2, 0.6), seconds=0.8), RATE).problems() == []
    assert measure(tone(440, 0.3), RATE).problems() == []
