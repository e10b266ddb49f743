from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from spoken_digits.data import balance, splits

PARAMS = splits.SplitParams(
    scheme="random",
    stratify=True,
    validation="held_out",
    fold=1,
    n_folds=5,
    test_fraction=0.2,
    val_fraction=0.1,
    split_on={},
)


def counted(params=PARAMS, **takes: int) -> pd.DataFrame:
    rows = [(f"{word}{n}", word, "me", n) for word, count in takes.items() for n in range(count)]
    manifest = pd.DataFrame(rows, columns=["utterance", "label", "speaker", "take"])
    manifest["sha256"] = manifest["utterance"]
    return balance.count(manifest, splits.assign(manifest, params, seed=1))


def test_every_word_and_subset_is_counted():
    assert balance.table(counted(yes=50, no=4)).splitlines() == [
        "word  train  val  test",
        "no        3    0     1",
        "yes      35    5    10",
        "all      38    5    11",
    ]


def test_of_very_many_words_the_rarest_are_shown():
    takes = {f"w{n:02}": 100 - n for n in range(60)}
    lines = balance.table(counted(**takes)).splitlines()
    assert [line.split()[0] for line in lines[1:-2]] == [f"w{n}" for n in range(20, 60)]
    assert lines[-2].startswith("(20 more)")
    assert sum(map(int, lines[-1].split()[1:])) == sum(takes.values())


def test_a_word_that_is_hardly_tested_is_named_with_the_takes_it_needs():
    few, unbalanced = balance.warnings(counted(yes=50, no=4), PARAMS)
    assert "no: 1 test and 0 validation clips" in few
    assert "yes:" not in few
    assert "needs 10 takes for 1 clip in each subset and 30 for 3" in few
    assert "50 clips of yes, 4 of no" in unbalanced


@pytest.mark.parametrize(("test", "val"), [(0.2, 0.1), (0.1, 0.2), (0.15, 0.3), (0.07, 0.25)])
def test_the_takes_said_to_be_needed_are_enough(test, val):
    params = dataclasses.replace(PARAMS, test_fraction=test, val_fraction=val)
    [warning] = balance.warnings(counted(params, yes=12, no=12), params)
    takes = int(warning.split("clip in each subset and ")[1].split()[0])
    counts = counted(params, yes=takes, no=takes)
    assert counts.to_numpy().min() >= 3
    assert not balance.warnings(counts, params)


def test_balanced_words_with_enough_takes_give_no_warning():
    assert not balance.warnings(counted(yes=50, no=50), PARAMS)
    assert not balance.warnings(counted(yes=50, no=30), PARAMS)


@pytest.mark.parametrize(
    ("scheme", "word"), [("speaker", "speakers of fold 1"), ("official", "val_fraction` 0.1")]
)
def test_the_advice_is_that_of_the_scheme(scheme, word):
    params = dataclasses.replace(PARAMS, scheme=scheme)
    warning = balance.warnings(counted(yes=50, no=4), params)[0]
    assert word in warning
    assert "test_fraction" not in warning


def test_without_validation_only_the_test_clips_are_judged_by():
    params = dataclasses.replace(PARAMS, validation="none")
    counts = counted(params, yes=50, no=5)
    warning = balance.warnings(counts, params)[0]
    assert "no: 1 test clips." in warning
    assert "val" not in warning
    assert not balance.warnings(counted(params, yes=20, no=20), params)


def test_the_advice_on_published_subsets_names_no_fraction():
    params = dataclasses.replace(PARAMS, scheme="official")
    warning = balance.warnings(counted(yes=50, no=4), params, published=True)[0]
    assert "raise `corpus.limit`" in warning
    assert "fraction" not in warning


def test_many_words_of_few_clips_are_one_line():
    counts = counted(**{f"w{n}": 6 for n in range(30)}, **{"a\nb": 5})
    warning = balance.warnings(counts, PARAMS)[0]
    assert r"a\nb" in warning
    assert "\n" not in warning
    assert "and 26 more words" in warning
    assert r"a\nb" in balance.table(counts)
