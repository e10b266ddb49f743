"""Every card that the pages hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spoken_digits.evaluation.report.collecting import Results
from spoken_digits.evaluation.report.data_card import data_card
from spoken_digits.evaluation.report.model_card import model_card
from spoken_digits.evaluation.tables import corpus_name


def cards(variants: Mapping[str, Mapping[str, Any]], results: Results) -> dict[str, str]:
    """File name -> page: a card for each model recorded on the recorded corpus, and the data card.

    Parameters
    ----------
    variants
        Section `variants` of params.yaml.
    """
    corpus = corpus_name(results.corpus)
    recorded = [
        row["model"]
        for row in results.rows
        if (row["scheme"], row["corpus"]) == ("float32", corpus)
    ]
    pages = {f"{model}.md": model_card(model, variants[model], results) for model in recorded}
    return {"data.md": data_card(results.corpus), **pages}
