"""Cards hold the recorded figures and no others; their heads are what model hubs read."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
import yaml
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.report.cards import cards
from spoken_digits.evaluation.report.collecting import Results, collect, collect_one
from spoken_digits.evaluation.report.data_card import data_card
from spoken_digits.evaluation.report.markdown import interval, percent
from spoken_digits.evaluation.report.model_card import model_card
from spoken_digits.models.params import names

METRICS = REPOSITORY / "metrics"
DESCRIBED = {"architecture": "ds_cnn", "features": "log_mel"}


@pytest.fixture(scope="module")
def recorded() -> Results:
    config = read_config(REPOSITORY / "params.yaml")
    return collect(names(config), METRICS, REPOSITORY / "plots", REPOSITORY / "benchmarks")


def committed(name: str) -> Any:
    return json.loads((METRICS / f"{name}.json").read_text())


def head(page: str) -> dict[str, Any]:
    return yaml.safe_load(page.split("---\n")[1])


def test_the_committed_cards_are_those_of_the_committed_metrics(recorded, default_params):
    folder = REPOSITORY / "docs/model-cards"
    found = {path.name: path.read_text() for path in folder.iterdir()}
    assert found == cards(default_params["variants"], recorded), "run `make results`"
    assert {f"{model}.md" for model in names(default_params)} < set(found)


def test_a_card_gives_every_speaker_with_the_interval_of_the_mean():
    page = (REPOSITORY / "docs/model-cards/tiny.md").read_text()
    study = committed("crossval")["tiny"]
    row = f"| `tiny` | {percent(study['mean'])} | {interval(study)} | {percent(study['worst'])}"
    assert row in page
    assert len(study["per_speaker"]) == 6
    for speaker, of in study["per_speaker"].items():
        assert f"| {speaker} | {percent(of['mean'])} |" in page


def test_the_head_of_a_card_has_licence_and_results():
    top = head((REPOSITORY / "docs/model-cards/tiny.md").read_text())
    assert top["license"] == "cc-by-sa-4.0"
    (entry,) = top["model-index"]
    test, unseen = (result["metrics"] for result in entry["results"])
    schemes = {m["name"]: m["value"] for m in test}
    assert schemes["accuracy, float32"] == committed("tiny")["accuracy"]
    assert schemes["accuracy, int8"] == committed("tiny.int8")["accuracy"]
    assert unseen[0]["value"] == committed("crossval")["tiny"]["mean"]


def test_figures_of_another_corpus_are_left_out(recorded):
    other = {key: {**row, "corpus": "other 1"} for key, row in recorded.crossval.items()}
    page = model_card("tiny", DESCRIBED, dataclasses.replace(recorded, crossval=other))
    assert "`make crossval` measures it" in page
    assert "george" not in page
    rows = [{**row, "corpus": "other 1"} for row in recorded.rows]
    with pytest.raises(UserError, match=r"metrics/tiny\.json has no figures on fsdd"):
        model_card("tiny", DESCRIBED, dataclasses.replace(recorded, rows=rows))


def test_a_card_without_studies_says_how_to_make_them_and_how_to_run_what_lies_beside_it():
    page = model_card("micro", DESCRIBED, collect_one("micro", METRICS), "run it so")
    assert percent(committed("micro")["accuracy"]) in page
    assert "`make crossval` measures it" in page
    assert "run it so" in page
    assert "spoken_digits.predict" not in page
    assert not re.search(r"^### (Strangers|Noise|On a Cortex)", page, re.M)


def test_cpu_time_is_told_beside_the_machine_that_the_epoch_was_measured_on(recorded):
    epoch = {"name": "epoch_tiny", "ours_s": 2.0}

    def page(row: dict[str, Any]) -> str:
        speed = {"machine": "the new one", "rows": [row]}
        return model_card("tiny", DESCRIBED, dataclasses.replace(recorded, speed=speed))

    assert "An epoch takes 2 s on the new one;" in page(epoch)
    earlier = page({**epoch, "machine": "the old one"})
    assert "An epoch takes 2 s on the old one;" in earlier
    assert "the new one" not in earlier


def test_cards_of_synthetic_speech_say_so(recorded):
    corpus = {**recorded.corpus, "synthetic": True, "licence": "none: made by a machine"}
    page = model_card(
        "tiny",
        DESCRIBED,
        dataclasses.replace(
            recorded,
            corpus=corpus,
            rows=[{**row, "corpus": "fsdd 1.0.10, synthetic speech"} for row in recorded.rows],
        ),
    )
    assert "**Trained on synthetic speech**" in page
    assert head(page)["license"] == "other"
    assert "synthetic" in head(data_card(corpus))["tags"]


def test_the_data_card_has_the_counts_of_the_recorded_corpus(recorded):
    page = data_card(recorded.corpus)
    corpus = committed("corpus")
    assert f"| clips | {corpus['n_clips']:,} |" in page
    assert f"| clips to test on | {corpus['split']['test']:,} |" in page
    assert head(page)["size_categories"] == ["1K<n<10K"]
