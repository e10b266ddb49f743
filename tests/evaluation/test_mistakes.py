from __future__ import annotations

import numpy as np
import pytest

from spoken_digits.evaluation import metrics, mistakes


def test_the_worst_mistakes_come_first():
    probabilities = metrics.probabilities(np.array([[5.0, 0], [9, 0], [0, 1], [0, 9], [3, 0]]))
    worst = mistakes.worst(probabilities, np.array([1, 1, 1, 0, 0]), 2)
    assert [m.row for m in worst] in ([1, 3], [3, 1])
    assert worst[0].confidence >= worst[1].confidence > 0.99
    assert {(m.actual, m.predicted) for m in worst} == {(1, 0), (0, 1)}


@pytest.mark.parametrize("n", [0, 1, 5])
def test_pictures_of_mistakes_have_the_same_bytes_every_time(tmp_path, n):
    wave = np.sin(np.arange(4000) / 5).astype(np.float32)
    worst = [mistakes.Mistake(row=i, actual=0, predicted=1, confidence=0.9) for i in range(n)]
    clips = [(f"clip_{i}", wave, 8000) for i in range(n)]
    for name in ("one", "two"):
        mistakes.draw(tmp_path / name, "title", worst, clips, ["a", "b"])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert (tmp_path / "one").read_bytes().startswith(b"\x89PNG")
