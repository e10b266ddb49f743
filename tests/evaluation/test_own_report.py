"""The page on own words, from made-up figures."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
from damaged import float_model

from spoken_digits.errors import UserError
from spoken_digits.evaluation.report import own
from spoken_digits.models.card import write_model

CORPUS = {
    "corpus": "folder",
    "title": "Own recordings",
    "version": "",
    "synthetic": False,
    "licence": "the owner's",
    "n_clips": 60,
    "n_speakers": 3,
    "n_words": 2,
    "split": {
        "scheme": "random",
        "fold": 0,
        "train": 42,
        "val": 6,
        "test": 12,
        "test_speakers": 3,
        "test_speakers_in_train": 3,
    },
}


def study(**per_speaker: float) -> dict:
    worst = min(per_speaker, key=lambda name: per_speaker[name])
    return {
        "mean": sum(per_speaker.values()) / len(per_speaker),
        "worst": per_speaker[worst],
        "worst_speaker": worst,
        "per_speaker": {name: {"mean": value} for name, value in per_speaker.items()},
        "seeds": [42],
        "corpus": "folder",
    }


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def root(tmp_path) -> Path:
    figures = {"accuracy": 0.9, "accuracy_ci_low": 0.8, "accuracy_ci_high": 0.95, "size_kib": 34.0}
    write(tmp_path / "metrics/corpus.json", CORPUS)
    write(tmp_path / "metrics/tiny.json", {**figures, "corpus": "folder"})
    write(tmp_path / "metrics/tiny.int8.json", {**figures, "corpus": "folder"})
    write(tmp_path / "metrics/lstm.json", {**figures, "corpus": "fsdd 1.0.10"})
    write(tmp_path / "plots/confusion/tiny.csv", "actual,predicted\nyes,yes\nyes,no\nno,no\n")
    return tmp_path


def test_without_speakers_left_out_it_says_that_other_voices_are_not_known(root):
    page = own.page(["lstm", "tiny"], root)
    assert "How well it does on other voices is not known" in page
    assert "lstm" not in page  # a figure of another corpus
    assert "`tiny.int8`" in page
    assert "## By word, `tiny` on test recordings" in page
    assert page.index("| yes | 50.00 % | 2 |") < page.index("| no | 100.00 % | 1 |")
    assert "| yes | no | 1 |" in page


def test_of_synthesised_voices_it_says_nothing_about_people(root):
    about = json.loads((root / "metrics/corpus.json").read_text())
    write(root / "metrics/corpus.json", {**about, "synthetic": True})
    for name in ("tiny", "tiny.int8"):
        path = root / f"metrics/{name}.json"
        row = json.loads(path.read_text())
        write(path, {**row, "corpus": f"{row['corpus']}, synthetic speech"})
    page = own.page(["tiny"], root)
    assert "**How well it does on people is not known**: every voice" in page
    assert "synthetic voices" in page
    assert "same people" not in page


def test_speakers_left_out_are_the_verdict(root):
    expected = {"tiny": study(ann=0.9, bo=0.7, cy=0.8), "tiny.int8": study(ann=0.9, bo=0.6, cy=0.9)}
    write(root / "metrics/expected/tiny.json", expected)
    write(
        root / "plots/expected/tiny.csv",
        "utterance,speaker,actual,float32,int8\na,ann,yes,yes,yes\nb,bo,no,yes,yes\n",
    )
    page = own.page(["tiny"], root)
    assert "**Expect `tiny` to recognise 80.00 % of the words of a voice that it has" in page
    assert "70.00 % of bo's, the worst of 3" in page
    assert "a hint, not a promise" in page
    assert "| `tiny.int8` | 90.00 | 60.00 | 90.00 |" in page
    assert "## By word, `tiny` on speakers left out" in page
    assert "| no | yes | 1 |" in page


def test_of_a_model_without_these_the_studies_of_this_corpus_tell(root):
    studies = {
        "tiny": study(ann=0.9, bo=0.6),
        "micro": study(ann=1.0, bo=1.0),
        "tiny.int8": {**study(ann=1.0, bo=1.0), "corpus": "fsdd 1.0.10"},
    }
    write(root / "metrics/crossval.json", studies)
    results = own.own_results(["tiny"], root)
    assert list(results.crossval) == ["tiny"]
    said = own.plain(own.verdict(results))
    assert said.startswith("Expect tiny to recognise 75.00 % of the words of a voice")
    write(root / "metrics/expected/tiny.json", {"tiny": study(ann=0.5, bo=0.5)})
    assert own.own_results(["tiny"], root).crossval["tiny"]["mean"] == 0.5


def test_what_is_expected_of_other_recordings_is_not_of_these(root):
    of_a = {**study(ann=0.9, bo=0.7, cy=0.8), "fingerprint": "a"}
    write(root / "metrics/expected/tiny.json", {"tiny": of_a})
    for fingerprint, is_known in (("a", True), ("b", False)):
        write(root / "data/raw/provenance.json", {"fingerprint": fingerprint})
        assert ("**Expect `tiny`" in own.page(["tiny"], root)) == is_known


def test_a_model_of_another_folder_of_own_words_is_not_of_this_one(root):
    figures = json.loads((root / "metrics/tiny.json").read_text())
    write(root / "metrics/micro.json", figures)
    card, tensors = float_model()
    for model, fingerprint in (("tiny", "a" * 64), ("micro", "b" * 64)):
        own_card = dataclasses.replace(card, corpus={**card.corpus, "fingerprint": fingerprint})
        write_model(root / f"models/{model}.safetensors", own_card, tensors)
    assert len(own.own_results(["tiny", "micro"], root).rows) == 3  # without the recordings
    write(root / "data/raw/provenance.json", {"fingerprint": "b" * 64})
    assert {row["model"] for row in own.own_results(["tiny", "micro"], root).rows} == {"micro"}
    with pytest.raises(UserError, match="no figures of tiny on folder"):
        own.page(["tiny"], root)


def test_costs_and_conditions_of_other_networks_are_not_of_this_one(root):
    model = root / "models/tiny.int8.safetensors"
    cost = {"recogniser_instructions_m0": 5, "model_sha256": hashlib.sha256(b"ours").hexdigest()}
    write(root / "metrics/cortex_m/tiny.int8.json", cost)
    detectors = {"tiny.int8": {"corpus": "folder"}, "lstm.int8": {"corpus": "fsdd 1.0.10"}}
    write(root / "metrics/detector.json", detectors)
    for name, corpus in (("tiny", "folder"), ("tiny.int8", "fsdd 1.0.10")):
        table = f"condition,level,model,n,accuracy,corpus\nclean,,{name},6,0.9,{corpus}\n"
        write(root / f"plots/robustness/{name}.csv", table)
    for content, n_costs in (("ours", 1), ("another", 0)):
        write(model, content)
        found = own.own_results(["tiny"], root)
        assert len(found.costs) == n_costs
        assert [row["model"] for row in found.robustness] == ["tiny"]
        assert list(found.detectors) == ["tiny.int8"]
        assert not found.is_mixed()


def test_nothing_run_on_this_corpus(root):
    with pytest.raises(UserError, match="no figures of lstm on folder: make them with"):
        own.page(["lstm"], root)
