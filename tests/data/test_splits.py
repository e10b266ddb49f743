from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from spoken_digits.corpora import audiomnist, fsdd
from spoken_digits.data import splits
from spoken_digits.errors import UserError

PARAMS = splits.SplitParams(
    scheme="random",
    stratify=True,
    fold=0,
    n_folds=5,
    test_fraction=0.2,
    val_fraction=0.1,
    split_on={},
)


def manifest(speakers=("a", "b", "c", "d", "e", "f"), digits=10, takes=20) -> pd.DataFrame:
    rows = [
        (f"{digit}_{speaker}_{take}", str(digit), speaker, take, f"{digit}{speaker}{take}")
        for speaker in speakers
        for digit in range(digits)
        for take in range(takes)
    ]
    return pd.DataFrame(rows, columns=["utterance", "label", "speaker", "take", "sha256"])


def assign(table, seed=1, folds=None, takes=None, **changes):
    return splits.assign(table, dataclasses.replace(PARAMS, **changes), seed, folds, takes)


def test_random_gives_the_asked_shares_of_every_word():
    table = manifest()
    subsets = assign(table)
    counts = pd.crosstab(table["label"], subsets)
    assert (counts["test"] == 24).all()
    assert (counts["val"] == 12).all()
    assert (counts["train"] == 84).all()


def test_random_without_strata_gives_the_asked_shares_overall():
    subsets = assign(manifest(), stratify=False)
    assert subsets.value_counts().to_dict() == {"train": 840, "test": 240, "val": 120}


def test_the_seed_decides():
    table = manifest()
    assert assign(table, 1).equals(assign(table, 1))
    assert not assign(table, 1).equals(assign(table, 2))


def test_another_validation_share_leaves_the_test_clips():
    table = manifest()
    few, many = assign(table, val_fraction=0.05), assign(table, val_fraction=0.3)
    assert (few == "test").equals(many == "test")


def test_copies_of_a_recording_stay_together():
    table = manifest()
    table.loc[table["take"] % 2 == 1, "sha256"] = table["sha256"][table["take"] % 2 == 0].to_numpy()
    subsets = assign(table)
    assert (subsets.groupby(table["sha256"]).nunique() == 1).all()


def test_official_takes_are_test():
    table = manifest()
    subsets = assign(table, scheme="official", takes=range(5))
    assert set(table["take"][subsets == "test"]) == set(range(5))
    assert not set(table["take"][subsets != "test"]) & set(range(5))
    assert (subsets == "val").sum() == 120


def test_official_needs_a_corpus_that_has_it():
    with pytest.raises(UserError, match=r"split.scheme` is official, but this corpus"):
        assign(manifest(), scheme="official")


@pytest.mark.parametrize("fold", range(6))
def test_speaker_leaves_one_speaker_of_fsdd_out(fold):
    table = manifest(fsdd.SPEAKERS)
    folds = [[speaker] for speaker in fsdd.SPEAKERS]
    subsets = assign(table, scheme="speaker", fold=fold, folds=folds)
    assert set(table["speaker"][subsets == "test"]) == {fsdd.SPEAKERS[fold]}
    assert set(table["speaker"][subsets == "val"]) == {fsdd.SPEAKERS[fold - 1]}
    assert table["speaker"][subsets == "train"].nunique() == 4


def test_the_published_folds_of_audiomnist_cover_its_speakers_once():
    folds = [fold.split() for fold in audiomnist.DIGIT_FOLDS]
    assert sorted(speaker for fold in folds for speaker in fold) == [
        f"{n:02}" for n in range(1, 61)
    ]


def test_speaker_folds_are_drawn_where_none_are_published():
    table = manifest([f"s{n}" for n in range(11)], digits=2, takes=2)
    tested = set()
    for fold in range(5):
        subsets = assign(table, scheme="speaker", fold=fold)
        spread = subsets.groupby(table["speaker"]).nunique()
        assert (spread == 1).all()
        tested |= set(table["speaker"][subsets == "test"])
    assert len(tested) == 11


@pytest.mark.parametrize(
    ("table", "changes", "message"),
    [
        (manifest(), {"scheme": "speaker", "fold": 5}, r"split.fold` is 5, must be 0 to 4"),
        (manifest(("a", "b")), {"scheme": "speaker"}, "there are only 2 speakers"),
        (manifest(takes=1), {"test_fraction": 0.01}, "split.test_fraction` leaves test empty"),
        (manifest(takes=1), {"val_fraction": 0.01}, "split.val_fraction` leaves val empty"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_its_key(table, changes, message):
    with pytest.raises(UserError, match=message):
        assign(table, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"test_fraction": 0.6, "val_fraction": 0.4}, "leave nothing to train on")],
)
def test_fractions_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(PARAMS, **changes)


def test_the_leak_check_finds_a_recording_in_two_subsets():
    table = manifest()
    subsets = assign(table)
    table.loc[subsets.index[subsets == "test"][0], "sha256"] = table["sha256"][
        subsets.index[subsets == "train"][0]
    ]
    with pytest.raises(UserError, match="the same recording is in two subsets"):
        splits.check(table, subsets, PARAMS)


def test_the_leak_check_finds_a_speaker_in_two_subsets():
    table = manifest()
    by_speaker = dataclasses.replace(PARAMS, scheme="speaker")
    with pytest.raises(UserError, match="speaker a is in two subsets"):
        splits.check(table, assign(table), by_speaker)


def test_a_word_with_nothing_to_train_on_is_refused():
    table = manifest(takes=10)
    subsets = assign(table)
    subsets[(table["label"] == "3") & (subsets == "train")] = "val"
    with pytest.raises(UserError, match="no clip of 3 is left to train on"):
        splits.check(table, subsets, PARAMS)


def test_reading_back(tmp_path):
    table = manifest()
    subsets = assign(table)
    splits.write_split(tmp_path / "split.csv", table, subsets)
    rows = splits.read_split(tmp_path / "split.csv", table)
    assert {name: len(r) for name, r in rows.items()} == {"train": 840, "val": 120, "test": 240}
    assert (subsets.to_numpy()[rows["test"]] == "test").all()
    with pytest.raises(UserError, match="of another corpus"):
        splits.read_split(tmp_path / "split.csv", table[::-1].reset_index(drop=True))
    with pytest.raises(UserError, match="is missing"):
        splits.read_split(tmp_path / "nowhere.csv", table)


def test_a_corpus_may_have_shares_of_its_own(default_params):
    usual = splits.read_params(default_params, "fsdd")
    reference = splits.read_params(default_params, "audiomnist")
    assert (usual.test_fraction, usual.val_fraction) == (0.2, 0.1)
    assert (reference.test_fraction, reference.val_fraction) == (0.1, 0.2)  # 21,000/6,000/3,000


def test_a_misspelt_share_of_a_corpus_is_named(default_params):
    default_params["split"]["split_on"]["audiomnist"]["test_frction"] = 0.3
    with pytest.raises(UserError, match=r"unknown key `split\.split_on\.audiomnist\.test_frction`"):
        splits.read_params(default_params, "audiomnist")
