from __future__ import annotations

import dataclasses
import hashlib
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
    validation="held_out",
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


@pytest.mark.parametrize(
    ("changes", "digest"),
    [
        ({}, "3779427e"),
        ({"stratify": False}, "5e7e46c8"),
        ({"scheme": "speaker"}, "b164539a"),
        ({"scheme": "official", "takes": [0, 1]}, "7237e27c"),
    ],
)
def test_a_seed_gives_the_same_split_in_every_version(changes, digest):
    subsets = assign(manifest(), 42, **changes)
    assert hashlib.sha256(",".join(subsets).encode()).hexdigest()[:8] == digest


def test_subsets_are_a_column_of_that_name_in_the_order_of_the_manifest():
    table = manifest()[::-1]
    for scheme in ("random", "speaker"):
        subsets = assign(table, scheme=scheme)
        assert subsets.name == "subset"
        assert subsets.index.equals(table.index)


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
        (manifest(("a",)), {"scheme": "speaker", "validation": "none"}, r"of 1 speaker\(s\) \(a\)"),
        (manifest(("unknown",)), {"scheme": "speaker"}, "200 of 200 clips do not say who speaks"),
        (manifest(("a", "b", "c", "d", "e", "unknown")), {"scheme": "speaker"}, "0_unknown_0"),
        (manifest(takes=1), {"test_fraction": 0.01}, "split.test_fraction` leaves test empty"),
        (manifest(("a",), takes=1), {}, "split.val_fraction` leaves val empty"),
        (manifest(), {"scheme": "official", "takes": [99]}, "split.scheme` leaves test empty"),
        (manifest(takes=1), {"val_fraction": 0.01}, "split.val_fraction` leaves val empty"),
    ],
)
def test_a_split_that_cannot_be_is_refused_with_its_key(table, changes, message):
    with pytest.raises(UserError, match=message):
        assign(table, **changes)


def test_as_many_folds_as_speakers_are_possible():
    table = manifest(tuple("abc"))
    subsets = assign(table, scheme="speaker", n_folds=3)
    assert table["speaker"].groupby(subsets).nunique().to_dict() == {
        "test": 1,
        "train": 1,
        "val": 1,
    }


def test_a_fold_of_speakers_who_are_not_there_is_named():
    with pytest.raises(UserError, match=r"split.fold` leaves test empty"):
        assign(manifest(), scheme="speaker", folds=[["nobody"], ["a"]])


def test_validation_may_take_no_more_than_official_tests_leave():
    with pytest.raises(UserError, match=r"split.val_fraction` leaves val empty"):
        assign(manifest(takes=10), scheme="official", takes=range(9), val_fraction=0.5)
    with pytest.raises(UserError, match="leaves train empty"):
        assign(manifest(takes=10), scheme="official", takes=range(10))


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
    with pytest.raises(UserError, match=r"the same recording is in two subsets \(\w+, \w+\)"):
        splits.check(table, subsets, PARAMS)


def test_the_leak_check_finds_a_speaker_in_two_subsets():
    table = manifest()
    by_speaker = dataclasses.replace(PARAMS, scheme="speaker")
    names = r"\(0_a_0, 0_a_1, 0_a_2\)"
    with pytest.raises(UserError, match=f"speaker a is in two subsets {names}"):
        splits.check(table, assign(table), by_speaker)


@pytest.mark.parametrize("scheme", ["random", "official", "speaker"])
def test_without_validation_all_but_the_test_clips_train(scheme):
    table = manifest()
    held_out, none = (
        assign(table, scheme=scheme, takes=range(5), validation=name, fold=2)
        for name in ("held_out", "none")
    )
    assert (held_out == "val").any()
    assert set(none) == {"train", "test"}
    assert (none == "test").equals(held_out == "test")


def test_two_speakers_are_enough_without_validation():
    table = manifest(("a", "b"))
    changes = {"scheme": "speaker", "validation": "none", "n_folds": 2}
    tested = [table["speaker"][assign(table, fold=k, **changes) == "test"] for k in (0, 1)]
    assert [speakers.nunique() for speakers in tested] == [1, 1]
    with pytest.raises(ValueError, match="`n_folds` is 2"):
        dataclasses.replace(PARAMS, n_folds=2)


def test_a_speaker_left_out_is_in_no_subset_and_the_folds_stay():
    table = manifest(fsdd.SPEAKERS)
    folds = [[speaker] for speaker in fsdd.SPEAKERS]
    inner = splits.assign(
        table,
        dataclasses.replace(PARAMS, scheme="speaker", fold=0),
        1,
        folds,
        without=["yweweler"],
    )
    of = {name: set(table["speaker"][inner == name]) for name in ("test", "val", "")}
    assert of == {"test": {"george"}, "val": {"theo"}, "": {"yweweler"}}  # theo: the next before
    assert (inner == "train").sum() == 3 * 200


def test_drawn_folds_stay_when_a_speaker_is_left_out():
    table = manifest([f"s{n:02}" for n in range(10)], digits=2, takes=2)
    by_speaker = dataclasses.replace(PARAMS, scheme="speaker", validation="none")
    whole = splits.assign(table, by_speaker, 1)
    left_out = table["speaker"][whole == "train"].iloc[0]
    inner = splits.assign(table, by_speaker, 1, without=[left_out])
    assert (inner == "test").equals(whole == "test")
    assert set(table["speaker"][inner == ""]) == {left_out}


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (["zoe"], "no speaker 'zoe' to leave out: the corpus has a, b, c, d, e, f"),
        (["a"], "fold 0 tests a: a speaker who is left out cannot be tested"),
        (["b", "c", "d", "e", "f"], "`split.fold` leaves train empty"),
    ],
)
def test_a_speaker_who_cannot_be_left_out_is_named(without, message):
    params = dataclasses.replace(PARAMS, scheme="speaker")
    with pytest.raises(UserError, match=message):
        splits.assign(manifest(), params, 1, [[name] for name in "abcdef"], without=without)


def test_a_fold_without_speakers_to_validate_on_names_the_key():
    table = manifest(tuple("bcdef"))
    with pytest.raises(UserError, match="`split.validation` leaves val empty"):
        assign(table, scheme="speaker", fold=1, folds=[[name] for name in "abcdef"])


def test_a_fold_that_leaves_a_word_out_of_training_is_named_with_the_word():
    table = manifest(tuple("abcdef"))
    table = table[(table["label"] != "7") | table["speaker"].isin(["c", "b"])]
    folds = [[name] for name in "abcdef"]
    with pytest.raises(UserError, match=r"fold 2 leaves no clip of 7 to train on.*\(a, d, e, f\)"):
        assign(table, scheme="speaker", fold=2, folds=folds)
    assign(table, scheme="speaker", fold=2, folds=folds, validation="none")  # b trains


def test_validation_clips_that_must_not_be_are_refused():
    table = manifest()
    params = dataclasses.replace(PARAMS, validation="none")
    with pytest.raises(UserError, match=r"`split\.validation` is none, but"):
        splits.check(table, assign(table), params)


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


def test_a_split_without_validation_says_so_in_its_file(tmp_path):
    table, path = manifest(), tmp_path / "split.csv"
    write_split(path, table, assign(table))
    assert path.read_text().splitlines()[0] == "utterance,subset"
    write_split(path, table, assign(table, validation="none"))
    rows = read_split(path, table)
    assert {name: len(r) for name, r in rows.items()} == {"train": 960, "val": 0, "test": 240}
    text = path.read_text()
    for edited in (text.replace("none", "nobody"), text.replace(",train,", ",val,", 1)):
        path.write_text(edited)
        with pytest.raises(UserError, match="has a column `validation`, but not none"):
            read_split(path, table)
    path.write_text(text.replace(",none", "").replace(",validation", ""))
    with pytest.raises(UserError, match="has no clip in val"):
        read_split(path, table)


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


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        ("split", {"fold": "first"}, "`split.fold` is 'first'"),
        ("split", {"test_fraction": 0.95}, "leave nothing to train on"),
        ("split.split_on.audiomnist", {"fold": -1}, "`split.split_on.audiomnist.fold` is -1"),
        ("split.split_on.audiomnist", {"split_on": {}}, "`split.split_on.audiomnist.split_on`"),
        (
            "split.split_on.audiomnist",
            {"test_fraction": 0.9},
            "`split.split_on.audiomnist.test_fraction` and",
        ),
    ],
)
def test_a_wrong_value_is_named_where_it_stands(section, changes, message, default_params):
    default_params.subsection(section).update(changes)
    with pytest.raises(UserError, match="^params.yaml: ") as caught:
        splits.read_params(default_params, "audiomnist")
    assert message in str(caught.value)
