"""What a step of the augmentation is worth."""

from __future__ import annotations

import pandas as pd
import pytest

from spoken_digits.errors import UserError
from spoken_digits.evaluation import ablation_picture
from spoken_digits.evaluation.ablation import over_steps


def run(right: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Four clips for each speaker and seed, of which so many are right."""
    rows = [
        (speaker, seed, "yes", "yes" if i < n else "no")
        for (speaker, seed), n in right.items()
        for i in range(4)
    ]
    return pd.DataFrame(rows, columns=["speaker", "seed", "actual", "float32"])


WHOLE = {("ann", "1"): 4, ("ann", "2"): 3, ("bo", "1"): 3, ("bo", "2"): 4}


def test_the_loss_is_that_of_the_same_speakers_under_the_same_seeds():
    without = {("bo", "2"): 2, ("bo", "1"): 3, ("ann", "2"): 3, ("ann", "1"): 3}
    found = over_steps({"nothing": run(WHOLE), "noise": run(without)}, "nothing")
    assert found["nothing"]["mean"] == 0.875
    assert (found["nothing"]["loss"], found["nothing"]["loss_error"]) == (0, 0)
    noise = found["noise"]
    assert noise["mean"] == 0.6875
    assert noise["per_speaker"] == {"ann": 0.75, "bo": 0.625}
    # Losses 1/4, 0, 0 and 2/4: mean 3/16, deviation .2394, over the root of four trainings.
    assert noise["loss"] == 0.1875
    assert noise["loss_error"] == pytest.approx(0.1197, abs=1e-4)
    assert noise["trainings"] == 4


def test_other_speakers_than_those_of_the_whole_recipe_are_refused():
    with pytest.raises(UserError, match="without noise are of other speakers or seeds"):
        over_steps({"nothing": run(WHOLE), "noise": run({("ann", "1"): 4})}, "nothing")


def test_the_picture_is_the_same_bytes_again(tmp_path):
    without = {("bo", "2"): 2, ("bo", "1"): 3, ("ann", "2"): 3, ("ann", "1"): 3}
    found = over_steps({"nothing": run(WHOLE), "noise": run(without)}, "nothing")
    figures = {step: {**row, "model": "small", "corpus": "words 2"} for step, row in found.items()}
    for name in ("a.png", "b.png"):
        ablation_picture.draw(tmp_path / name, figures)
    first = (tmp_path / "a.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert (tmp_path / "b.png").read_bytes() == first
    # Another loss is another picture.
    figures["noise"]["loss"] = 0.3
    ablation_picture.draw(tmp_path / "b.png", figures)
    assert (tmp_path / "b.png").read_bytes() != first
