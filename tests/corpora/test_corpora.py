"""The corpus modules: names, counts, faults, formats."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from spoken_digits.corpora import CorpusParams, archives, audiomnist, folder, fsdd
from spoken_digits.corpora.base import WAV_8_KHZ, balanced
from spoken_digits.data import ingest, manifest
from spoken_digits.data.clips import ClipArchive, write_archive
from spoken_digits.errors import UserError


@pytest.fixture
def archive_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(tmp_path))
    return tmp_path


def wav(level: float = 0.5, sample_rate: int = 8000, **options) -> bytes:
    buffer = io.BytesIO()
    samples = options.pop("samples", np.full(40, level))
    soundfile.write(buffer, samples, sample_rate, format="WAV", **{"subtype": "PCM_16", **options})
    return buffer.getvalue()


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def fsdd_members() -> dict[str, bytes]:
    return {
        f"top/recordings/{digit}_{speaker}_{take}.wav": wav()
        for digit in range(10)
        for speaker in fsdd.SPEAKERS
        for take in range(50)
    }


def audiomnist_members(**changes: bytes) -> dict[str, bytes]:
    clip = wav(sample_rate=48000)
    members = {
        f"AudioMNIST-x/data/{speaker:02}/{digit}_{speaker:02}_{take}.wav": clip
        for speaker in range(1, 61)
        for digit in range(10)
        for take in range(50)
    }
    about = {
        f"{n:02}": {"age": "1234" if n == 45 else (30 if n % 2 else "31"), "gender": "female"}
        for n in range(1, 61)
    }
    members["AudioMNIST-x/data/audioMNIST_meta.txt"] = json.dumps(about).encode()
    return {**members, **changes}


def write_zip(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.corpus
def test_the_real_fsdd_is_whole(fsdd_archive, repository):
    corpus = fsdd.open_fsdd(repository, None)
    rows = [ingest.row(clip, corpus.audio_format) for clip in corpus.clips]
    assert len(rows) == 3000
    assert {row["speaker"] for row in rows} == set(fsdd.SPEAKERS)
    assert rows == sorted(rows, key=lambda row: row["path"])
    seconds = [row["n_samples"] / 8000 for row in rows]
    assert (round(min(seconds), 2), round(max(seconds), 2)) == (0.14, 2.28)


def test_fsdd_with_a_recording_missing_is_refused(archive_folder):
    members = fsdd_members()
    members.popitem()
    write_tar(archive_folder / fsdd.ARCHIVE_NAMES[0], members)
    with pytest.raises(UserError, match="holds 2999 recordings, FSDD v1.0.10 has 3000"):
        fsdd.open_fsdd(archive_folder, None)


def test_fsdd_with_an_odd_name_is_refused(archive_folder):
    members = fsdd_members()
    members.popitem()
    members["top/recordings/nine.wav"] = wav()
    write_tar(archive_folder / fsdd.ARCHIVE_NAMES[0], members)
    with pytest.raises(UserError, match=r"nine.wav is not named digit_speaker_take"):
        fsdd.open_fsdd(archive_folder, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (wav(samples=np.full((40, 2), 0.5)), r"2 channel\(s\), 8000 Hz, this corpus is WAV PCM_16"),
        (wav(subtype="PCM_24"), "PCM_24"),
        (wav(sample_rate=44100), "44100 Hz"),
        (wav(samples=np.zeros(0)), "holds no samples"),
        (wav(level=0.0), "holds only silence"),
        (b"RIFF", "cannot be read as audio"),
    ],
)
def test_a_clip_that_is_not_as_promised_is_refused_by_name(archive_folder, content, message):
    members = fsdd_members()
    members["top/recordings/7_lucas_3.wav"] = content
    write_tar(archive_folder / fsdd.ARCHIVE_NAMES[0], members)
    corpus = fsdd.open_fsdd(archive_folder, None)
    with pytest.raises(UserError, match=f"7_lucas_3.wav.*{message}"):
        for clip in corpus.clips:
            ingest.row(clip, WAV_8_KHZ)


def test_audiomnist_leaves_known_faults_out_and_lists_them(archive_folder):
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], audiomnist_members())
    corpus = audiomnist.open_audiomnist(archive_folder, None, "exclude")
    names = [clip.utterance for clip in corpus.clips]
    assert len(names) == corpus.n_clips == 29_997
    assert not set(names) & set(audiomnist.KNOWN_FAULTS)
    assert any("0_19_22: said to be a 3 (excluded)" in note for note in corpus.notes)
    assert any("speaker 45: age '1234' is not plausible" in note for note in corpus.notes)
    assert corpus.speakers["45"]["speaker_age"] == ""
    assert corpus.speakers["01"]["speaker_age"] == "30"
    assert corpus.speakers["02"]["speaker_age"] == "31"


def test_audiomnist_keeps_known_faults_if_told_and_marks_them(archive_folder):
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], audiomnist_members())
    corpus = audiomnist.open_audiomnist(archive_folder, None, "keep")
    faults = {clip.utterance: clip.fault for clip in corpus.clips if clip.fault}
    assert faults == dict(audiomnist.KNOWN_FAULTS)
    assert corpus.n_clips == 30_000


def test_audiomnist_in_another_layout_is_refused(archive_folder):
    members = audiomnist_members()
    members["AudioMNIST-x/data/01/0_02_0.wav"] = wav(sample_rate=48000)
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], members)
    with pytest.raises(UserError, match=r"data/01/0_02_0.wav is not named NN/digit_NN_take"):
        audiomnist.open_audiomnist(archive_folder, None, "exclude")


def test_audiomnist_without_its_metadata_is_refused(archive_folder):
    members = audiomnist_members()
    members["AudioMNIST-x/data/audioMNIST_meta.txt"] = b"{"
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], members)
    with pytest.raises(UserError, match="is not AudioMNIST's metadata"):
        audiomnist.open_audiomnist(archive_folder, None, "exclude")


def test_an_audiomnist_stand_in_says_that_it_is_synthetic(archive_folder):
    members = audiomnist_members()
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], members)
    real = audiomnist.open_audiomnist(archive_folder, None, "exclude")
    members[f"AudioMNIST-x/{audiomnist.MARKER}"] = b"made by a machine"
    write_zip(archive_folder / audiomnist.ARCHIVE_NAMES[0], members)
    stand_in = audiomnist.open_audiomnist(archive_folder, None, "exclude")
    assert (real.synthetic, real.licence, real.source) == (False, "MIT", audiomnist.URL)
    assert (stand_in.synthetic, stand_in.licence) == (True, "none: made by a machine")
    assert audiomnist.URL not in stand_in.source
    assert any("label every figure" in note for note in stand_in.notes)


@pytest.mark.parametrize("limit", [20, 60, 130])
def test_a_limit_spreads_over_words_and_speakers(archive_folder, limit):
    write_tar(archive_folder / fsdd.ARCHIVE_NAMES[0], fsdd_members())
    clips = list(fsdd.open_fsdd(archive_folder, limit).clips)
    assert len(clips) == limit
    assert [clip.path for clip in clips] == sorted(clip.path for clip in clips)
    words = np.unique([clip.label for clip in clips], return_counts=True)[1]
    assert len(words) == 10
    assert words.max() - words.min() <= 1


def test_a_limit_beyond_the_corpus_keeps_all():
    entries, groups = ["a", "b"], [(0, "x", "1"), (0, "x", "2")]
    assert balanced(entries, 5, groups) == entries
    assert balanced(entries, None, groups) == entries


def test_labels_sort_as_numbers_only_if_all_are():
    import pandas as pd

    assert manifest.labels(pd.DataFrame({"label": ["10", "9", "1"]})) == ["1", "9", "10"]
    assert manifest.labels(pd.DataFrame({"label": ["b", "10", "9"]})) == ["10", "9", "b"]


def test_the_archive_of_clips_has_the_same_bytes_every_time(recordings, tmp_path):
    path = recordings()
    for name in ("one.zip", "two.zip"):
        clips = folder.open_folder(path, None, None).clips
        assert len(list(write_archive(tmp_path / name, clips))) == 48
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    with pytest.raises(UserError, match=re.escape("holds no nowhere.wav")):
        ClipArchive(tmp_path / "one.zip").read("nowhere.wav", "")


def test_every_key_that_decides_the_recordings_makes_download_run_again(repository):
    stage = yaml.safe_load((repository / "dvc.yaml").read_text())["stages"]["download"]
    elsewhere = {"extra_voices", "rejection"}  # read by the stages `plan` and `reject`
    keys = {field.name for field in dataclasses.fields(CorpusParams)} - elsewhere
    assert set(stage["params"]) == {f"corpus.{key}" for key in keys}


def test_opening_fsdd_does_not_load_the_speech_engine():
    assert "espeakng_loader" not in sys.modules
