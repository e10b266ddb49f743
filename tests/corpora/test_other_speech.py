"""The archive of other speech: two roles that stay apart, and what happens without it.

Damage and foreign content are refused by code that test_extra_voices.py tests.
"""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest
from recordings import REPOSITORY

from spoken_digits.corpora import archives, by_role, extra_voices, other_speech
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.provenance import read_provenance

MAY_NAME_THE_TEST_STORE = {
    "stages/detect.py",
    "stages/detect_unseen.py",
    "stages/other_speech.py",
    # Only compares what hears the same sound.
    "stages/prove_streams.py",
    "stages/reject.py",
}


@pytest.mark.corpus
def test_the_real_archive_is_whole_and_no_speaker_or_recording_has_two_roles(repository, tmp_path):
    corpora = other_speech.open_other_speech(repository)
    if corpora is None:
        pytest.skip("the archive of other speech is not in reach")
    tables = {}
    for role, corpus in corpora.items():
        write_corpus(corpus, tmp_path / role)
        tables[role] = read_manifest(tmp_path / role / "manifest.csv")
        assert read_provenance(tmp_path / role / "provenance.json", tables[role])["role"] == role
    train, test = tables["train"], tables["test"]
    assert Counter(train["kind"]) == {"word": 43}
    assert Counter(test["kind"]) == {"word": 157, "phrase": 288}
    assert not set(train["speaker"]) & set(test["speaker"])
    assert not set(train["sha256"]) & set(test["sha256"])
    assert set(train["label"]) <= set(test.loc[test["kind"] == "word", "label"])
    digits = {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    assert not digits & set(test["label"])


def test_every_speaker_has_one_role():
    for roles in (other_speech.ROLES, extra_voices.ROLES):
        speakers = [speaker for role in roles.values() for speaker in role.speakers]
        assert len(speakers) == len(set(speakers))


def test_without_the_archive_the_stores_stay_as_they_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(tmp_path))
    corpora = other_speech.open_other_speech(tmp_path / "checkout")
    stores = {role: tmp_path / "data" / role for role in other_speech.ROLES}
    stores["train"].mkdir(parents=True)
    (stores["train"] / "manifest.csv").write_text("kept")
    by_role.write_stores(corpora, stores, other_speech.NOT_IN_REACH)
    assert (stores["train"] / "manifest.csv").read_text() == "kept"
    assert list(stores["test"].iterdir()) == []
    warning = capsys.readouterr().err
    assert other_speech.ARCHIVE_NAME in warning
    assert warning.count("\n") == 1


def names_the_test_store(source: str) -> bool:
    """Whether code, not a docstring, names ``other_speech/test``, or the folder it lies in."""
    tree = ast.parse(source)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    code = [node for node in ast.walk(tree) if id(node) not in prose]
    texts = [str(node.value) for node in code if isinstance(node, ast.Constant)]
    paths = [ast.unparse(node) for node in code if isinstance(node, ast.BinOp)]
    # The longest chain of `/` that a path is part of.
    whole = [path for path in paths if not any(path != o and path in o for o in paths)]
    return any(re.search(r"other_speech(/test)?$", text) and "/" in text for text in texts) or any(
        "'other_speech'" in path and "'other_speech' / 'train'" not in path for path in whole
    )


def test_only_what_tests_may_name_the_store_to_test_on():
    assert names_the_test_store("A = DATA / 'other_speech' / 'test' / 'audio.zip'")
    assert names_the_test_store("A = Path('data/other_speech/test')")
    assert names_the_test_store("A = DATA / 'other_speech'")
    assert not names_the_test_store("A = DATA / 'other_speech' / 'train'")
    found = {
        str(path.relative_to(REPOSITORY))
        for folder in ("stages", "spoken_digits")
        for path in (REPOSITORY / folder).rglob("*.py")
        if "other_speech" in path.read_text() and names_the_test_store(path.read_text())
    }
    assert found == MAY_NAME_THE_TEST_STORE
