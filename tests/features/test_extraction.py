from __future__ import annotations

import dataclasses
import errno
import json
import os
import signal
from pathlib import Path

import distributed
import numpy as np
import pandas as pd
import pytest

from spoken_digits import audio
from spoken_digits.corpora import folder
from spoken_digits.data import ingest, store
from spoken_digits.data.clips import ClipArchive, write_archive
from spoken_digits.errors import UserError
from spoken_digits.features import extraction, resumable
from spoken_digits.features import parallel as parallel_module
from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.parallel import ParallelParams
from spoken_digits.features.resumable import Block, PartialTensor
from spoken_digits.io import files
from spoken_digits.io.sources import sources_of

EXTRACTOR = Mfcc(MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36), 8000)


def processes(n: int) -> ParallelParams:
    return ParallelParams(backend="loky", n_jobs=n, dask_scheduler=None)


@pytest.fixture
def corpus(recordings, tmp_path) -> tuple[Path, pd.DataFrame]:
    clips = folder.open_folder(recordings(sample_rate=11025), None, None).clips
    rows = [ingest.row(clip, None) for clip in write_archive(tmp_path / "audio.zip", clips)]
    return tmp_path / "audio.zip", pd.DataFrame(rows)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_row_i_is_clip_i_for_any_number_of_processes(corpus, tmp_path, monkeypatch, n_jobs):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(n_jobs))
    read = store.read_features(tmp_path / "mfcc", table)
    assert read.x.shape == (48, 36, 13)
    assert isinstance(read.x, np.memmap)
    for i in (0, 6, 7, 47):
        wave, found = audio.decode(
            ClipArchive(archive).read(table["path"][i], table["sha256"][i]), "clip"
        )
        expected, n_frames = EXTRACTOR([audio.resample(wave, found.sample_rate, 8000)])
        np.testing.assert_array_equal(read.x[i], expected[0])
        assert read.n_frames[i] == n_frames[0]


def test_the_same_bytes_every_time(corpus, tmp_path):
    archive, table = corpus
    for name in ("one", "two"):
        extraction.write_features(tmp_path / name, EXTRACTOR, archive, table, processes(1))
    for file in ("x.npy", "n_frames.npy", "features.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_features_of_other_recordings_are_refused(corpus, tmp_path):
    archive, table = corpus
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    with pytest.raises(UserError, match="is of another corpus than the manifest"):
        store.read_features(tmp_path / "mfcc", table[::-1])


def test_damaged_features_are_refused(corpus, tmp_path):
    archive, table = corpus
    with pytest.raises(UserError, match="is missing: make it with `dvc repro feature_extract`"):
        store.read_features(tmp_path / "mfcc", table)
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    content = (tmp_path / "mfcc" / "x.npy").read_bytes()
    (tmp_path / "mfcc" / "x.npy").write_bytes(content[:5000])
    with pytest.raises(UserError, match="mfcc is damaged"):
        store.read_features(tmp_path / "mfcc", table)


def test_a_corpus_that_cannot_be_read_leaves_earlier_features(corpus, tmp_path):
    archive, table = corpus
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    before = (tmp_path / "mfcc" / "x.npy").read_bytes()
    archive.write_bytes(archive.read_bytes()[:10_000])
    with pytest.raises(UserError, match="is not a whole archive"):
        extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == before
    assert not list(tmp_path.glob(".mfcc.partial"))


def test_a_killed_run_is_resumed(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    extraction.write_features(tmp_path / "whole", EXTRACTOR, archive, table, processes(1))
    taken_over = kill_after(3, corpus, tmp_path / "mfcc", monkeypatch)
    assert taken_over == 21
    for file in ("x.npy", "n_frames.npy", "features.json"):
        assert (tmp_path / "mfcc" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert not (tmp_path / ".mfcc.partial").exists()


def test_a_changed_block_is_made_again(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    extraction.write_features(tmp_path / "whole", EXTRACTOR, archive, table, processes(1))

    def damage() -> None:
        with (tmp_path / ".mfcc.partial" / "tensor" / "x.npy").open("r+b") as file:
            file.write(b"header")
            file.seek(500)
            file.write(b"damaged")
            file.seek(0, 2)
            file.write(b"too long" * 10**5)

    assert kill_after(3, corpus, tmp_path / "mfcc", monkeypatch, damage) == 14
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == (tmp_path / "whole" / "x.npy").read_bytes()


@pytest.mark.parametrize(
    "line",
    [
        b"[7, 99",
        b"",
        b"null",
        b"[1]",
        b"7",
        b'"abc"',
        b'{"a": 1}',
        b'{"a": 1, "b": 2, "c": 3}',
        b"[NaN, NaN, NaN]",
        b"[7, 1, NaN]",
        b"[3, 1, [1, 1, 1, 1, 1, 1, 1]]",
        b"[7000, 1, [1]]",
        b"[-7, 1, [1, 1, 1, 1, 1, 1, 1]]",
        b"[[7], 1, [1]]",
        b"[true, 1, [1]]",
        b"[7, CRC, [1, 1]]",
        b"[7, CRC, [1, 1, 1, 1, 1, 1, 37]]",
        b"[7, CRC, [1, 1, 1, 1, 1, 1, 0]]",
        b"[7, CRC, [1, 1, 1, 1, 1, 1, 1.5]]",
        b"[7, CRC, 7]",
        b"[" * 100_000,
        b"9" * 10_000,
        b"\xff\xfe\x00",
    ],
)
def test_a_damaged_line_of_the_journal_is_that_block_again(corpus, tmp_path, monkeypatch, line):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    _, table = corpus
    journal = tmp_path / ".mfcc.partial" / "journal"

    def damage() -> None:
        first, second, third = journal.read_bytes().splitlines()
        checksum = str(json.loads(second)[1]).encode()
        journal.write_bytes(b"\n".join([first, line.replace(b"CRC", checksum), third]))

    assert kill_after(3, corpus, tmp_path / "mfcc", monkeypatch, damage) == 14
    assert store.read_features(tmp_path / "mfcc", table).n_frames.min() > 1


@pytest.mark.parametrize("name", ["key", "journal", "tensor/x.npy", "tensor"])
def test_a_partial_tensor_that_lacks_a_part_is_begun_anew(corpus, tmp_path, monkeypatch, name):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    part = tmp_path / ".mfcc.partial" / name
    assert kill_after(3, corpus, tmp_path / "mfcc", monkeypatch, lambda: files.remove(part)) == 0


def test_a_kill_before_the_finished_tensor_is_in_place_loses_nothing(corpus, tmp_path, monkeypatch):
    archive, table = corpus
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    before = (tmp_path / "mfcc" / "x.npy").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(resumable, "move_into_place", broken_off)
        with pytest.raises(KeyboardInterrupt):
            extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == before
    # The state after a kill between the two renames: the old folder is set aside.
    (tmp_path / "mfcc").rename(tmp_path / f".mfcc.{2**22 + 1}.old")
    again = extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    assert again == len(table)
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == before
    assert {p.name for p in tmp_path.iterdir() if "mfcc" in p.name} == {"mfcc", ".mfcc.lock"}


def broken_off(*_: Path) -> None:
    raise KeyboardInterrupt


def test_blocks_made_by_other_code_are_made_again(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)

    def edit() -> None:
        monkeypatch.setattr(extraction, "digest_of", lambda *_, **__: "of edited code")

    assert kill_after(3, corpus, tmp_path / "mfcc", monkeypatch, edit) == 0


def test_the_digest_covers_the_code_of_the_features(monkeypatch):
    covered = {}
    monkeypatch.setattr(
        extraction, "digest_of", lambda modules, **_: covered.update(sources_of(modules))
    )
    extraction._code_digest(EXTRACTOR)
    rooms = ("features.mfcc", "features.extraction", "audio.read", "audio.offset")
    assert {f"spoken_digits.{room}" for room in rooms} <= set(covered)
    assert "spoken_digits.features.spectrogram" not in covered


def test_a_run_with_other_parameters_is_not_resumed(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    other = Mfcc(dataclasses.replace(EXTRACTOR.params, n_mfcc=12), 8000)
    assert kill_after(3, corpus, tmp_path / "mfcc", monkeypatch, other=other) == 0


def kill_after(n_blocks, corpus, folder, monkeypatch, between=lambda: None, other=EXTRACTOR) -> int:
    """Interrupt a run after some blocks and run again; return the number of clips reused."""
    archive, table = corpus
    record = PartialTensor.record

    def dying(self, start, checksum, valid):
        if len(self._valid) == n_blocks:
            raise KeyboardInterrupt
        record(self, start, checksum, valid)

    with monkeypatch.context() as patch:
        patch.setattr(PartialTensor, "record", dying)
        with pytest.raises(KeyboardInterrupt):
            extraction.write_features(folder, EXTRACTOR, archive, table, processes(1))
    assert not folder.exists()
    between()
    return extraction.write_features(folder, other, archive, table, processes(1))


def test_two_runs_at_once_do_not_mix(corpus, tmp_path):
    archive, table = corpus
    shape = (len(table), *EXTRACTOR.shape)
    with (
        PartialTensor(tmp_path / "mfcc", {}, shape, EXTRACTOR.dtype, 7, "code"),
        pytest.raises(UserError, match="another run is writing .*mfcc: wait for it"),
    ):
        extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))


def test_a_killed_worker_is_reported_and_earlier_features_stay(corpus, tmp_path):
    class Deadly(Mfcc):  # in here: workers cannot import a test's module
        """Kills the process that uses it, as the kernel does when memory runs out."""

        def __call__(self, waveforms):
            os.kill(os.getpid(), signal.SIGKILL)

    archive, table = corpus
    extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(2))
    before = (tmp_path / "mfcc" / "x.npy").read_bytes()
    deadly = Deadly(EXTRACTOR.params, 8000)
    with pytest.raises(UserError, match="a worker process was killed.*run again to go on"):
        extraction.write_features(tmp_path / "mfcc", deadly, archive, table, processes(2))
    assert (tmp_path / "mfcc" / "x.npy").read_bytes() == before


def test_a_full_disk_keeps_earlier_features_and_finished_blocks(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    write = Block.write

    def full(self, features):
        if self.start >= 14:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        return write(self, features)

    with monkeypatch.context() as patch:
        patch.setattr(Block, "write", full)
        with pytest.raises(OSError, match="No space left"):
            extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    assert not (tmp_path / "mfcc").exists()
    again = extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, processes(1))
    assert again == 14


def test_a_dask_cluster_makes_the_same_features(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_BLOCK_CLIPS", 7)
    archive, table = corpus
    extraction.write_features(tmp_path / "here", EXTRACTOR, archive, table, processes(1))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        parallel = ParallelParams(
            backend="dask", n_jobs=None, dask_scheduler=cluster.scheduler_address
        )
        extraction.write_features(tmp_path / "cluster", EXTRACTOR, archive, table, parallel)
    for file in ("x.npy", "n_frames.npy"):
        assert (tmp_path / "here" / file).read_bytes() == (tmp_path / "cluster" / file).read_bytes()


def test_a_scheduler_that_does_not_answer_is_named(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel_module, "SCHEDULER_TIMEOUT", "1s")
    archive, table = corpus
    parallel = ParallelParams(backend="dask", n_jobs=None, dask_scheduler="tcp://127.0.0.1:9")
    with pytest.raises(UserError, match="no Dask scheduler answers at .*tcp://127.0.0.1:9"):
        extraction.write_features(tmp_path / "mfcc", EXTRACTOR, archive, table, parallel)
