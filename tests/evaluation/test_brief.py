"""What `dvc metrics show` prints fits into a terminal."""

from __future__ import annotations

import pandas as pd
from recordings import REPOSITORY

from spoken_digits.evaluation.brief import brief


def test_a_row_of_the_recorded_models_is_at_most_120_characters_wide():
    rows = pd.read_csv(REPOSITORY / "plots/models/size_accuracy.csv").to_dict("records")
    assert len(rows) > 10
    for row in rows:
        figures = brief(row, row["accuracy"])
        assert abs(figures["accuracy"] - row["accuracy"]) <= 5e-5
        assert figures["low"] <= figures["accuracy"] <= figures["high"]
        assert figures["corpus"] == row["corpus"]
        path = f"metrics/unheard/{row['model']}+voices.{row['scheme']}.json"
        cells = {**figures, "kib": round(row["size_kib"], 2)}
        # DVC puts four spaces between columns.
        assert len(path) + sum(4 + max(len(k), len(str(v))) for k, v in cells.items()) <= 120
