from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from spoken_digits.corpora import audiomnist, fsdd
from spoken_digits.data import splits
from spoken_digits.data.subsets import read_split, write_split
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


def test_a_random_split_does_not_go_by_name_speaker_or_take():
    table = manifest()
    subsets = assign(table)
    # 200 clips a speaker, 60 a take: of each about the same share, by no rule.
    for column in ("speaker", "take"):
        shares = (subsets == "test").groupby(table[column]).mean()
        assert shares.between(0.05, 0.4).all()
        assert shares.nunique() > 3
    # No run of neighbours: about 240 x 0.8 test clips are followed by one of another subset.
    is_test = (subsets == "test").to_numpy()
    assert 150 < (is_test[:-1] & ~is_test[1:]).sum() < 230


def test_speaker_folds_do_not_go_by_name():
    table = manifest([f"s{n:02}" for n in range(20)], digits=2, takes=2)
    for seed in range(3):
        subsets = assign(table, seed, scheme="speaker")
        tested = sorted(int(name[1:]) for name in set(table["speaker"][subsets == "test"]))
        assert len(tested) == 4
        assert max(tested) - min(tested) > 4
    other = assign(table, 3, scheme="speaker")
    assert not subsets.equals(other)


def test_every_speaker_is_tested_in_one_fold_only():
    table = manifest([f"s{n:02}" for n in range(20)], digits=2, takes=2)
    tests = [
        set(table["speaker"][assign(table, scheme="speaker", fold=fold) == "test"])
        for fold in range(5)
    ]
    assert sum(map(len, tests)) == len(set().union(*tests)) == 20


@pytest.mark.parametrize("stratify", [True, False])
def test_only_strata_make_the_shares_of_words_equal(stratify):
    # Words of 10 to 100 clips.
    table = manifest(takes=100)
    table = table[table["take"] < 10 * (table["label"].astype(int) + 1)]
    subsets = assign(table, stratify=stratify)
    for subset, share in [("test", 0.2), ("val", 0.1), ("train", 0.7)]:
        shares = (subsets == subset).groupby(table["label"]).mean()
        assert (shares - share).abs().max() < 0.01 if stratify else shares.nunique() > 5


def test_the_streams_of_test_and_validation_are_independent():
    # From the same clips, the same number is drawn once for test and once for validation.
    table = manifest()
    set_aside = manifest(takes=1).assign(take=99, sha256=lambda t: "set aside " + t["sha256"])
    both = pd.concat([table, set_aside], ignore_index=True)
    for_test = assign(table) == "test"
    for_val = assign(both, scheme="official", takes=[99], val_fraction=240 / len(both)) == "val"
    assert for_test.sum() == for_val.sum() == 240
    assert not for_val[len(table) :].any()
    in_common = (for_test & for_val[: len(table)]).sum()
    assert 20 < in_common < 90  # by chance 48


def test_words_of_few_recordings_are_drawn_as_far_as_they_reach():
    table = manifest(("a",), digits=2, takes=50)
    table = table[(table["label"] == "0") | (table["take"] < 4)]
    counts = pd.crosstab(table["label"], assign(table))
    assert counts.loc["0"].to_dict() == {"test": 10, "train": 35, "val": 5}
    assert counts.loc["1"].to_dict() == {"test": 1, "train": 3, "val": 0}
    table = table[(table["label"] == "0") | (table["take"] < 1)]
    counts = pd.crosstab(table["label"], assign(table))
    assert counts.loc["1"].to_dict() == {"test": 0, "train": 1, "val": 0}


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


def published(table: pd.DataFrame) -> pd.DataFrame:
    """With subsets by speaker, as a corpus's authors would publish them."""
    subset = table["speaker"].map({"a": "test", "b": "val"}).fillna("train")
    return table.assign(official_subset=subset)


def test_official_subsets_are_taken_as_published():
    table = published(manifest())
    subsets = assign(table, scheme="official", val_fraction=0.5)
    assert subsets.tolist() == table["official_subset"].tolist()
    # Other schemes do not look at them.
    for scheme in ("random", "speaker"):
        plain = table.drop(columns="official_subset")
        assert assign(table, scheme=scheme).equals(assign(plain, scheme=scheme))


def test_official_subsets_without_one_or_with_another_are_refused():
    table = published(manifest())
    few = table[table["official_subset"] != "val"]
    with pytest.raises(UserError, match=r"none of the 1000 clips is in .*val subset: raise"):
        assign(few, scheme="official")
    odd = table.replace({"official_subset": {"val": "dev"}})
    with pytest.raises(UserError, match=r"0_b_0 into the subset 'dev': make it again"):
        assign(odd, scheme="official")
    copied = table.copy()
    copied.loc[copied["utterance"] == "0_c_0", "sha256"] = "0a0"
    with pytest.raises(UserError, match="the same recording is in two subsets"):
        assign(copied, scheme="official")


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
        (manifest(tuple("abcd")), {"scheme": "speaker"}, "there are only 4 speakers"),
        (manifest(("a", "b")), {"scheme": "speaker"}, r"tells of 2 speaker\(s\) \(a, b\)"),
        (manifest(("unknown",)), {"scheme": "speaker"}, r"tells of 1 speaker\(s\) \(unknown\)"),
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
    write_split(tmp_path / "split.csv", table, subsets)
    rows = read_split(tmp_path / "split.csv", table)
    assert {name: len(r) for name, r in rows.items()} == {"train": 840, "val": 120, "test": 240}
    assert (subsets.to_numpy()[rows["test"]] == "test").all()
    with pytest.raises(UserError, match="of another corpus"):
        read_split(tmp_path / "split.csv", table[::-1].reset_index(drop=True))
    with pytest.raises(UserError, match="is missing"):
        read_split(tmp_path / "nowhere.csv", table)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"(?s).*", "", "is damaged"),
        (r"(?s)\n.*", "\n", "is of another corpus than the manifest ('0_a_0' is only in"),
        ("subset", "part", "lacks the column subset"),
        ("0_a_0,[a-z]+", "0_a_0,tset", "puts '0_a_0' into 'tset', which is none of train, val"),
        ("0_a_0,[a-z]+", "0_a_0,Train", "into 'Train'"),
        ("0_a_0,[a-z]+", "0_a_0,", "puts '0_a_0' into ''"),
        ("0_a_0,[a-z]+", "0_a_0", "puts '0_a_0' into"),
        ("0_a_0,([a-z]+)", r"0_a_1,\1", "has the utterance '0_a_1' twice"),
        ("0_a_0,([a-z]+)", r"0_x_0,\1", "is of another corpus than the manifest ('0_a_0' is"),
        ("0_a_0,[a-z]+\n", "", "is of another corpus than the manifest ('0_a_0' is only in"),
        ("0_a_0,([a-z]+)", r"0_a_0,\1,more", "has the utterance 'train' twice"),
        ("0_a_0,([a-z]+)", r"0_a_0,\1,more,still", "has the utterance '' twice"),
        ("0_a_1,([a-z]+)", r"0_a_1,\1,more", "is damaged"),
        ("0_a_0,", '"0_a_0,', "is damaged"),
        (",val", ",train", "has no clip in val"),
        ("0_a_0", "\x00\xff", "is damaged"),
    ],
)
def test_a_split_edited_behind_the_pipelines_back_is_one_line(old, new, message, tmp_path):
    table, path = manifest(digits=2, takes=10), tmp_path / "split.csv"
    write_split(path, table, assign(table))
    edited, count = re.subn(old, new, path.read_text())
    assert count
    path.write_bytes(edited.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        read_split(path, table)
    line = str(caught.value)
    assert message in line
    assert str(path) in line
    assert "dvc repro --force split" in line
    assert "\n" not in line


def test_a_corpus_may_have_its_own_shares(default_params):
    usual = splits.read_params(default_params, "fsdd")
    reference = splits.read_params(default_params, "audiomnist")
    assert (usual.test_fraction, usual.val_fraction) == (0.2, 0.1)
    assert (reference.test_fraction, reference.val_fraction) == (0.1, 0.2)  # 21,000/6,000/3,000


def test_a_misspelt_share_of_a_corpus_is_named(default_params):
    default_params["split"]["split_on"]["audiomnist"]["test_frction"] = 0.3
    with pytest.raises(UserError, match=r"unknown key `split\.split_on\.audiomnist\.test_frction`"):
        splits.read_params(default_params, "audiomnist")
