from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spoken_digits import audio, manifest
from spoken_digits.clips import ClipArchive, write_archive
from spoken_digits.corpora import folder
from spoken_digits.errors import UserError
from spoken_digits.features import store
from spoken_digits.features.mfcc import Mfcc, MfccParams

EXTRACTOR = Mfcc(MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36), 8000)


@pytest.fixture
def corpus(recordings, tmp_path) -> tuple[Path, pd.DataFrame]:
    clips = folder.open_folder(recordings(sample_rate=11025), None, None).clips
    rows = [manifest.row(clip, None) for clip in write_archive(tmp_path / "audio.zip", clips)]
    return tmp_path / "audio.zip", pd.DataFrame(rows)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_row_i_is_clip_i_for_any_number_of_processes(corpus, tmp_path, monkeypatch, n_jobs):
    monkeypatch.setattr(store, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    store.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, n_jobs)
    read = store.read_features(tmp_path / "mfcc", table)
    assert read.x.shape == (48, 36, 13)
    assert isinstance(read.x, np.memmap)
    for i in (0, 6, 7, 47):
        wave, found = audio.decode(ClipArchive(archive).read(table["path"][i]), "clip")
        expected, n_frames = EXTRACTOR([audio.resample(wave, found.sample_rate, 8000)])
        np.testing.assert_allclose(read.x[i], expected[0], atol=1e-5)
        assert read.n_frames[i] == n_frames[0]


def test_the_same_bytes_every_time(corpus, tmp_path):
    archive, table = corpus
    for name in ("one", "two"):
        store.write_features(tmp_path / name, EXTRACTOR, archive, table, 1)
    for file in ("x.npy", "n_frames.npy", "features.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_features_of_other_recordings_are_refused(corpus, tmp_path):
    archive, table = corpus
    store.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, 1)
    with pytest.raises(UserError, match="is of another corpus than the manifest"):
        store.read_features(tmp_path / "mfcc", table[::-1])


def test_damaged_features_are_refused(corpus, tmp_path):
    archive, table = corpus
    with pytest.raises(UserError, match="is missing: make it with `dvc repro feature_extract`"):
        store.read_features(tmp_path / "mfcc", table)
    store.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, 1)
    content = (tmp_path / "mfcc" / "x.npy").read_bytes()
    (tmp_path / "mfcc" / "x.npy").write_bytes(content[:5000])
    with pytest.raises(UserError, match="mfcc is damaged"):
        store.read_features(tmp_path / "mfcc", table)


def test_a_corpus_that_cannot_be_read_leaves_earlier_features(corpus, tmp_path):
    archive, table = corpus
    store.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, 1)
    before = (tmp_path / "mfcc" / "x.npy").read_bytes()
    archive.write_bytes(archive.read_bytes()[:10_000])
    with pytest.raises(UserError, match="is not a whole archive"):
        store.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, 1)
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == before
    assert not list(tmp_path.glob(".mfcc*"))
