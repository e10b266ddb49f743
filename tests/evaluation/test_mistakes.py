from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes

from spoken_digits.evaluation import metrics, mistakes


def test_the_worst_mistakes_come_first():
    probabilities = metrics.probabilities(np.array([[5.0, 0], [9, 0], [0, 1], [0, 9], [3, 0]]))
    worst = mistakes.worst(probabilities, np.array([1, 1, 1, 0, 0]), 2)
    assert [m.row for m in worst] in ([1, 3], [3, 1])
    assert worst[0].confidence >= worst[1].confidence > 0.99
    assert {(m.actual, m.predicted) for m in worst} == {(1, 0), (0, 1)}


def clip(until_s: float, sample_rate: int = 8000, n_samples: int = 4000) -> mistakes.Clip:
    wave = np.sin(np.arange(n_samples) / 5).astype(np.float32)
    return mistakes.Clip(
        utterance="clip", waveform=wave, sample_rate=sample_rate, heard_s=(0.0, until_s)
    )


def draw(path: Path, n: int, shown: mistakes.Clip) -> bytes:
    worst = [mistakes.Mistake(row=i, actual=0, predicted=1, confidence=0.9) for i in range(n)]
    mistakes.draw(path, "title", worst, [shown] * n, ["a", "b"])
    return path.read_bytes()


@pytest.mark.parametrize("n", [0, 1, 5])
def test_pictures_of_mistakes_have_the_same_bytes_every_time(tmp_path, n):
    one, two = (draw(tmp_path / name, n, clip(0.3)) for name in ("one", "two"))
    assert one == two
    assert one.startswith(b"\x89PNG")


def test_the_unused_part_is_shaded(monkeypatch, tmp_path):
    shaded = []
    monkeypatch.setattr(Axes, "axvspan", lambda self, *span, **_: shaded.append(span))
    draw(tmp_path / "whole", 1, clip(0.5))
    assert shaded == []
    draw(tmp_path / "cut", 1, clip(0.2))
    assert shaded == [(0.2, 0.5)]
    middle = dataclasses.replace(clip(0.0), heard_s=(0.1, 0.4))
    draw(tmp_path / "middle", 1, middle)
    assert shaded[1:] == [(0.0, 0.1), (0.4, 0.5)]


def test_an_offset_does_not_change_a_picture(tmp_path):
    shifted = clip(0.5)
    shifted = dataclasses.replace(shifted, waveform=shifted.waveform - shifted.waveform.mean())
    offset = dataclasses.replace(shifted, waveform=shifted.waveform + np.float32(0.5))
    one, two = (mistakes._decibels(c) for c in (shifted, offset))
    np.testing.assert_allclose(one, two, atol=0.05)


@pytest.mark.parametrize(("sample_rate", "n_samples"), [(20, 3), (8000, 1), (192000, 500)])
def test_clips_of_any_rate_and_length_can_be_drawn(tmp_path, sample_rate, n_samples):
    picture = draw(tmp_path / "picture", 1, clip(0.1, sample_rate, n_samples))
    assert picture.startswith(b"\x89PNG")
