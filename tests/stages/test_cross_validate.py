"""One training of the studies: who is tested, who is left out, and what is refused."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil

import japanese_voices
import pandas as pd
import pytest
from recordings import PATTERN, write_recordings
from workspace import Workspace

from spoken_digits.corpora.by_role import write_stores
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.corpora.spoken_voices import open_spoken_voices
from spoken_digits.data.loading import load_dataset
from spoken_digits.synthesis import kokoro
from spoken_digits.training import loop
from spoken_digits.training.folds import undivided
from spoken_digits.training.guests import Guests
from spoken_digits.training.study_plan import study_plan

MODEL = "lstm_36kb"
FOLDS = ("--split", "speaker", "--seed", "1")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """Four speakers in four folds; `dan` never says yes."""
    folder = tmp_path_factory.mktemp("cross-validate")
    recordings = write_recordings(folder / "recordings")
    for file in (recordings / "yes").glob("dan_*.wav"):
        file.unlink()
    workspace = Workspace(folder / "checkout")
    workspace.shrink(recordings, PATTERN)

    def edit(params: dict) -> None:
        params["split"]["n_folds"] = 4
        params["quantize"]["networks"] = {}
        params["studies"] |= {"models": [MODEL], "validation": {MODEL: "held_out"}}
        params["studies"]["with_voices"]["models"] = []
        params["studies"]["with_spoken"] |= {"models": [], "epochs": 2, "recordings_alone": 1}
        params["studies"]["again"]["models"] = []
        params["studies"]["official"]["models"] = []

    workspace.change(edit)
    for stage in (["download"], ["feature_extract", "mfcc_int"], ["split"], ["plan"]):
        workspace.stage(*stage)
    return workspace


def predictions(workspace: Workspace, fold: int, *options: str, into: str) -> pd.DataFrame:
    done = workspace.stage("cross_validate", MODEL, *FOLDS, "--fold", str(fold), *options)
    table = pd.read_csv(workspace.folder / into / f"{MODEL}-{fold}-1.csv", dtype=str)
    table.attrs["said"] = done.stderr
    return table


@pytest.fixture(scope="module")
def folds(workspace) -> list[pd.DataFrame]:
    return [predictions(workspace, k, into="studies/predictions/speaker") for k in range(4)]


def test_every_speaker_is_tested_once_and_the_one_before_chooses(folds):
    tested = ["".join(set(table["speaker"])) for table in folds]
    assert sorted(tested) == ["anna", "ben", "cleo", "dan"]
    choosers = ["".join(set(table["chosen_by"])) for table in folds]
    assert choosers == [tested[-1], *tested[:-1]]
    assert list(folds[0].columns) == ["utterance", "speaker", "actual", "chosen_by", "float32"]


def test_a_speaker_who_never_says_a_word_is_tested_and_this_is_said(folds):
    said = {"".join(set(table["speaker"])): table.attrs["said"] for table in folds}
    assert "never says yes: the accuracy is over the other words" in said["dan"]
    assert "note: dan of fold" in said["dan"]
    assert "never says" not in said["anna"]


def test_what_to_expect_is_measured_on_everybody_and_the_record_left_alone(workspace, folds):
    recorded = workspace.folder / "studies/predictions"
    before = {path: path.read_bytes() for path in recorded.rglob("*.csv")}
    workspace.stage("expect", MODEL)
    table = pd.read_csv(workspace.folder / f"plots/expected/{MODEL}.csv", dtype=str)
    said = pd.concat(folds)
    assert list(table["utterance"]) == sorted(said["utterance"])
    figures = json.loads((workspace.folder / f"metrics/expected/{MODEL}.json").read_text())[MODEL]
    by_speaker = (table["actual"] == table["float32"]).groupby(table["speaker"]).mean()
    assert figures["mean"] == pytest.approx(by_speaker.mean(), abs=1e-6)
    assert figures["per_speaker"].keys() == set(by_speaker.index)
    assert {path: path.read_bytes() for path in recorded.rglob("*.csv")} == before


def test_an_inner_fold_leaves_a_speaker_out_and_the_record_alone(workspace, folds):
    tested = ["".join(set(table["speaker"])) for table in folds]
    after = (tested.index("dan") + 1) % 4  # where dan would choose
    recorded = workspace.folder / f"studies/predictions/speaker/{MODEL}-{after}-1.csv"
    before = recorded.read_bytes()
    inner = predictions(workspace, after, "--without", "dan", into="studies/inner/without dan")
    assert set(inner["speaker"]) == {tested[after]}
    assert set(inner["chosen_by"]) == {tested[after - 2]}
    assert recorded.read_bytes() == before


def test_without_the_archive_of_voices_this_is_said_and_there_are_no_predictions(workspace):
    done = workspace.stage("cross_validate", MODEL, *FOLDS, "--fold", "0", "--voices")
    path = workspace.folder / f"studies/predictions/speaker/{MODEL}+voices-0-1.csv"
    assert path.read_text() == "utterance,speaker,actual,training,float32\n"
    assert f"{MODEL}+voices-0-1: not tested, data/voices/train holds no voices" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_synthesised_voices_this_is_said_and_there_are_no_predictions(workspace):
    done = workspace.stage("cross_validate", MODEL, *FOLDS, "--fold", "0", "--spoken")
    path = workspace.folder / f"studies/predictions/speaker/{MODEL}+spoken-0-1.csv"
    assert path.read_text() == "utterance,speaker,actual,training,float32\n"
    assert f"{MODEL}+spoken-0-1: not tested, data/voices/spoken holds no voices" in done.stderr


def test_without_any_voices_strangers_are_not_tested(workspace):
    done = workspace.stage("strangers", MODEL, "--seed", "1", "--spoken")
    path = workspace.folder / f"studies/predictions/strangers/{MODEL}+spoken-0-1.csv"
    assert path.read_text() == "utterance,speaker,actual,training,float32\n"
    assert f"{MODEL}+spoken-0-1: not tested, data/voices/strangers holds no voices" in done.stderr


class FitIsCalledError(Exception):
    """Training would begin."""


def guests_of(workspace: Workspace, monkeypatch) -> Guests:
    """Who leaves early in the training that `--spoken` begins."""

    def fit(*arguments, guests, **options):
        raise FitIsCalledError(guests)

    arguments = argparse.Namespace(model=MODEL, seed=1, spoken=True, voices=None)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "fit", fit)
        data = workspace.folder / "data"
        study = study_plan(arguments, data, workspace.folder / "params.yaml")
        corpus = undivided(load_dataset(data, study.plan.features))
        with pytest.raises(FitIsCalledError) as called:
            study.train(corpus, data)
        # What is recorded for another number of epochs must not pass for this one's.
        longer = dataclasses.replace(study, guests_until=2)
        without = dataclasses.replace(study, guests_until=None)
        assert len({each.digest(corpus) for each in (study, longer, without)}) == 3
    (guests,) = called.value.args
    return guests


def test_synthesised_voices_train_and_their_predictions_say_which(workspace, folds, monkeypatch):
    styles = japanese_voices.styles("jf_alpha", "jm_kumo")
    params = SpokenVoicesParams(blends=0, seed=0)
    corpus = open_spoken_voices(kokoro.Synthesiser(), styles, ["no", "yes"], 8000, params)
    store = workspace.folder / "data/voices/spoken"
    write_stores({"train": corpus}, {"train": store}, "")
    table_of_store = pd.read_csv(store / "manifest.csv")
    try:
        done = workspace.stage("cross_validate", MODEL, *FOLDS, "--fold", "0", "--spoken")
        strangers = workspace.stage("strangers", MODEL, "--seed", "1", "--spoken")
        guests = guests_of(workspace, monkeypatch)
    finally:
        shutil.rmtree(store)
    assert done.stderr == ""
    assert guests == Guests(n=len(table_of_store), until=1)  # of two epochs
    path = workspace.folder / f"studies/predictions/speaker/{MODEL}+spoken-0-1.csv"
    table = pd.read_csv(path, dtype=str)
    assert list(table["utterance"]) == list(folds[0]["utterance"])  # tested on people alone
    assert table["training"].nunique() == 1
    assert (
        "data/voices/strangers holds no voices" in strangers.stderr
    )  # those to train on are there


def refused(workspace: Workspace, *options: str) -> str:
    done = workspace.stage("cross_validate", *options, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_what_cannot_be_is_one_line(workspace):
    assert "`split.fold` is 4, must be 0 to 3" in refused(workspace, MODEL, *FOLDS, "--fold", "4")
    line = refused(workspace, MODEL, *FOLDS, "--without", "zoe")
    assert "no speaker 'zoe' to leave out: the corpus has anna, ben, cleo, dan" in line
    workspace.stage("feature_extract", "mfcc")
    line = refused(workspace, "lstm", *FOLDS)
    assert "`studies.validation` lacks lstm" in line


@pytest.mark.parametrize(
    ("speakers", "pattern", "message"),
    [
        (("anna", "ben"), PATTERN, "tells of 2 speaker(s) (anna, ben)"),
        (("anna", "ben", "cleo", "dan"), None, "48 of 48 clips do not say who speaks"),
    ],
)
def test_a_corpus_without_enough_speakers_is_one_line(speakers, pattern, message, tmp_path):
    workspace = Workspace(tmp_path / "checkout")
    workspace.shrink(write_recordings(tmp_path / "recordings", speakers=speakers), PATTERN)
    workspace.change(lambda params: params["corpus"].update(label_pattern=pattern))
    workspace.change(lambda params: params["split"].update(scheme="speaker"))
    workspace.stage("download")
    done = workspace.stage("split", check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
