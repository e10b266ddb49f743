"""The archive of other speech: two roles that stay apart, and what happens without it.

Damage and foreign content are refused by code that test_extra_voices.py tests.
"""

from __future__ import annotations

import ast
from collections import Counter

import pytest
from recordings import REPOSITORY

from spoken_digits.corpora import archives, by_role, extra_voices, other_speech
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.provenance import read_provenance

MAY_NAME_THE_TEST_STORE = {"stages/other_speech.py"}
READS_THE_ARCHIVE = "spoken_digits/corpora/other_speech.py"


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


def test_only_what_tests_may_name_the_store_to_test_on():
    """A script under stages/ or the library that writes `other_speech/test` in any form."""
    found = set()
    for folder in ("stages", "spoken_digits"):
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            texts = [
                node.value
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            parts = [part for text in texts for part in text.split("/")]
            # A docstring names the folder with blanks around it, so it is no part by itself.
            if "other_speech" in parts and "test" in parts:
                found.add(str(path.relative_to(REPOSITORY)))
    assert found - {READS_THE_ARCHIVE} == MAY_NAME_THE_TEST_STORE
