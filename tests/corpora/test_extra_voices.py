"""The archive of extra voices: two roles, counts, content, and damage."""

from __future__ import annotations

import dataclasses
import io
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from spoken_digits.corpora import archives, extra_voices
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.provenance import fingerprint_of, read_provenance
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

SPEAKERS = {"train": "xv01", "strangers": "sc22"}


def clip(level: float, n_channels: int = 1, subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full((40, n_channels), level), 8000, subtype, format="WAV")
    return buffer.getvalue()


def recordings() -> dict[str, bytes]:
    """Three clips of each role."""
    return {
        f"extra-voices-1/recordings/{digit}_{speaker}_0.wav": clip(0.1 + level / 10 + digit / 50)
        for level, speaker in enumerate(SPEAKERS.values())
        for digit in range(3)
    }


def write(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder searched for archives, where `recordings` passes for the original."""
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(tmp_path))
    for role, speaker in SPEAKERS.items():
        clips = {name: sha256(wav) for name, wav in recordings().items() if speaker in name}
        facts = dataclasses.replace(
            extra_voices.ROLES[role], n_clips=3, fingerprint=fingerprint_of(clips.items())
        )
        monkeypatch.setitem(extra_voices.ROLES, role, facts)
    return tmp_path


def open_in(folder: Path):
    return extra_voices.open_extra_voices(folder / "checkout")


@pytest.mark.corpus
def test_the_real_voices_are_whole_and_no_speaker_has_two_roles(repository, tmp_path):
    corpora = extra_voices.open_extra_voices(repository)
    if corpora is None:
        pytest.skip("the archive of extra voices is not in reach")
    tables = {}
    for role, corpus in corpora.items():
        write_corpus(corpus, tmp_path / role)
        tables[role] = read_manifest(tmp_path / role / "manifest.csv")
        provenance = read_provenance(tmp_path / role / "provenance.json", tables[role])
        assert provenance["role"] == role
    assert {role: len(table) for role, table in tables.items()} == {"train": 469, "strangers": 100}
    assert not set(tables["train"]["speaker"]) & set(tables["strangers"]["speaker"])
    assert not set(tables["train"]["sha256"]) & set(tables["strangers"]["sha256"])
    assert Counter(tables["train"]["sample_rate"]) == {8000: 439, 48000: 30}
    assert Counter(tables["strangers"]["label"]) == {str(digit): 10 for digit in range(10)}


def test_every_role_is_read_from_one_archive(folder):
    write(folder / extra_voices.ARCHIVE_NAME, recordings())
    corpora = open_in(folder)
    for role, speaker in SPEAKERS.items():
        clips = list(corpora[role].clips)
        assert corpora[role].role == role
        assert [found.path for found in clips] == [f"{n}_{speaker}_0.wav" for n in range(3)]
        assert {found.speaker for found in clips} == {speaker}


def test_no_archive_in_reach_is_no_error(folder):
    assert open_in(folder) is None


def without_one(members):
    members.popitem()


def with_other_content(members):
    members["extra-voices-1/recordings/0_xv01_0.wav"] = clip(0.9)


def with_an_odd_name(members):
    members["extra-voices-1/recordings/zero.wav"] = clip(0.5)


def with_a_clip_elsewhere(members):
    members["extra-voices-1/0_xv01_1.wav"] = clip(0.5)


def with_a_speaker_more(members):
    members["extra-voices-1/recordings/0_sc23_0.wav"] = clip(0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_one, "holds 2 recordings for strangers, version 1 has 3"),
        (with_other_content, "the recordings for train are not those of version 1"),
        (with_an_odd_name, "zero.wav is not named recordings/digit_speaker_take.wav"),
        (with_a_clip_elsewhere, "0_xv01_1.wav is not named recordings/digit_speaker_take.wav"),
        (with_a_speaker_more, "version 1 has no speaker sc23"),
    ],
)
def test_another_archive_of_that_name_is_refused(change, message, folder):
    members = recordings()
    change(members)
    write(folder / extra_voices.ARCHIVE_NAME, members)
    with pytest.raises(UserError, match=message):
        open_in(folder)


@pytest.mark.parametrize("keep", [0, 20, 0.3, 0.7])
def test_a_damaged_archive_is_one_line(keep, folder):
    path = folder / extra_voices.ARCHIVE_NAME
    write(path, recordings())
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(UserError) as caught:
        open_in(folder)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_archive_does_not_hide_a_whole_one(folder, capsys):
    (folder / extra_voices.ARCHIVE_NAME).write_bytes(b"cut")
    (folder / "checkout/data/archives").mkdir(parents=True)
    write(folder / "checkout/data/archives" / extra_voices.ARCHIVE_NAME, recordings())
    assert set(open_in(folder)) == set(SPEAKERS)
    assert "skipped" in capsys.readouterr().err
