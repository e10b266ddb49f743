"""Corpus `speech_commands`: layout, tasks, silence, copies, fetching."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import http.server
import math
import threading
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import speech_commands as small
from conftest import read_pcm

from spoken_digits.corpora import archives, speech_commands
from spoken_digits.corpora.speech_commands import silence, tasks
from spoken_digits.corpora.speech_commands.layout import PUBLISHED, read_contents
from spoken_digits.data import ingest
from spoken_digits.errors import UserError

FILES = small.members()


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A checkout whose folder of archives is searched first."""
    folder = tmp_path / "archives"
    folder.mkdir()
    monkeypatch.setenv(archives.ENVIRONMENT_VARIABLE, str(folder))
    return folder


def open_small(place: Path, words="all", limit=None, files=FILES, layout=small.LAYOUT):
    small.write_archive(place / speech_commands.ARCHIVE_NAMES[0], files)
    root = place.parent / "checkout"
    return speech_commands.open_speech_commands(root, limit, words, layout=layout)


def clips_of(place: Path, *arguments, **options):
    return list(open_small(place, *arguments, **options).clips)


def test_the_published_counts_are_those_of_the_paper():
    assert len(PUBLISHED.clips) == 35
    assert sum(PUBLISHED.clips.values()) == 105_829
    digits = sum(PUBLISHED.clips[word] for word in tasks.DIGITS)
    commands = sum(PUBLISHED.clips[word] for word in tasks.COMMANDS)
    assert (digits, commands) == (38_908, 38_546)


def test_an_archive_is_held_against_the_published_counts_unless_told_otherwise(place):
    small.write_archive(place / speech_commands.ARCHIVE_NAMES[0], FILES)
    with pytest.raises(UserError, match=r"names 42 clips in validation_list.txt, not 9,981"):
        read_contents(place / speech_commands.ARCHIVE_NAMES[0], PUBLISHED)
    layout = dataclasses.replace(PUBLISHED, val=42, test=42)
    with pytest.raises(UserError, match=r"holds 0 clips of 'backward', not 1,664"):
        read_contents(place / speech_commands.ARCHIVE_NAMES[0], layout)


def test_all_words_come_sorted_with_speaker_take_and_subset(place):
    corpus = open_small(place)
    clips = list(corpus.clips)
    assert [clip.path for clip in clips] == sorted(name for name, *_ in small.names())
    assert corpus.n_clips == len(clips) == 30 * len(small.WORDS)
    assert not corpus.notes
    by_path = {clip.path: clip for clip in clips}
    for name, word, number, take in small.names():
        clip = by_path[name]
        assert (clip.label, clip.speaker, clip.take) == (word, small.SPEAKERS[number], take)
        assert clip.official_subset == small.subset(number)
        assert clip.wav == FILES[f"./{name}"]
    assert len({clip.utterance for clip in clips}) == len(clips)
    row = ingest.row(clips[0], corpus.audio_format)
    assert (row["sample_rate"], row["n_samples"]) == (16000, 16000)


def test_digits_have_the_labels_of_the_corpora_of_digits(place):
    clips = clips_of(place, "digits")
    assert Counter(clip.label for clip in clips) == {"0": 30, "1": 30, "2": 30}
    assert {clip.path.partition("/")[0] for clip in clips if clip.label == "0"} == {"zero"}


def test_twelve_has_a_tenth_of_unknown_and_of_silence_in_every_subset(place):
    clips = clips_of(place, "twelve")
    counts = Counter((clip.official_subset, clip.label) for clip in clips)
    for subset, n_commands in {"train": 36, "val": 12, "test": 12}.items():
        assert counts[subset, "yes"] + counts[subset, "no"] == n_commands
        assert counts[subset, tasks.UNKNOWN] == math.ceil(n_commands / 10)
        assert counts[subset, tasks.SILENCE] == math.ceil(n_commands / 10)
    words = {clip.path.partition("/")[0] for clip in clips if clip.label == tasks.UNKNOWN}
    assert words <= {"bed", "cat", "one", "two", "zero"}
    assert len(words) > 1


def test_the_proportions_of_twelve_are_those_of_the_published_test_set():
    # It has 4,890 clips, 4,074 of them of the ten commands.
    assert 4_074 + 2 * tasks.n_added(4_074) == 4_890


def test_the_draws_depend_on_the_content_alone(place):
    first = [(clip.path, clip.wav) for clip in clips_of(place, "twelve")]
    again = [(clip.path, clip.wav) for clip in clips_of(place, "twelve")]
    assert first == again
    # The same files in a zip, in another order, under another folder.
    path = place / speech_commands.ARCHIVE_NAMES[0]
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(FILES.items()):
            archive.writestr(f"top/{name[2:]}", content)
    corpus = speech_commands.open_speech_commands(
        place.parent / "checkout", None, "twelve", layout=small.LAYOUT
    )
    assert [(clip.path, clip.wav) for clip in corpus.clips] == first


def test_a_limit_gives_as_many_of_each_class_and_all_subsets(place):
    clips = clips_of(place, "all", limit=70)
    assert set(Counter(clip.label for clip in clips).values()) == {10}
    assert {clip.official_subset for clip in clips} == {"train", "val", "test"}
    assert len(clips_of(place, "twelve", limit=8)) == 8
    assert {clip.label for clip in clips_of(place, "twelve", limit=8)} == {
        "yes",
        "no",
        "_silence_",
        "_unknown_",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"./zero/x.wav": b""}, r"holds ./zero/x.wav, which is not named"),
        ({"./zero/00000000_nohash_0.wav": b""}, r"holds 31 clips of 'zero', not 30"),
        ({"./nine/00000000_nohash_0.wav": b""}, r"holds 1 clips of 'nine', not 0"),
        ({"./_background_noise_/tap.wav": b""}, r"holds 3 recordings of noise, not 2"),
        ({"./testing_list.txt": b""}, r"names 0 clips in testing_list.txt, not 42"),
        ({"./sub/testing_list.txt": b""}, r"holds 2 files named testing_list.txt"),
        ({"./testing_list.txt": FILES["./validation_list.txt"]}, r"lists 'bed/.*' twice"),
        (
            {"./testing_list.txt": FILES["./testing_list.txt"].replace(b"bed/", b"bad/", 1)},
            r"lists bad/.*.wav, but holds no such clip",
        ),
        ({f"./top/bed/{small.SPEAKERS[0]}_nohash_0.wav": b""}, r"holds bed/.* twice"),
    ],
)
def test_another_archive_is_refused_by_what_is_odd(place, change, message):
    small.write_archive(place / "a", {**FILES, **change})
    with pytest.raises(UserError, match=message) as caught:
        read_contents(place / "a", small.LAYOUT)
    assert "not Speech Commands v0.02, fetch the official archive again" in str(caught.value)


def test_cuts_of_noise_never_cross_from_one_subset_to_another():
    # The sign of the samples tells which part of the recording they are from.
    n = small.NOISE_SECONDS * small.SAMPLE_RATE
    pcm = np.full(n, 25_600, np.int16)
    pcm[int(0.8 * n) : int(0.9 * n)] *= -1
    pcm[int(0.9 * n) :: 2] *= -1
    noise = small.wav(pcm)
    signs = {"train": {1}, "val": {-1}, "test": {1, -1}}
    for subset, expected in signs.items():
        for number in range(100):
            second = np.frombuffer(read_pcm(silence.cut(noise, "noise", subset, number)), "<i2")
            assert second.size == small.SAMPLE_RATE
            assert set(np.sign(second)) == expected


def test_cuts_differ_in_place_and_volume():
    n = small.NOISE_SECONDS * small.SAMPLE_RATE
    ramp = small.wav((np.arange(n) // 10 + 1).astype(np.int16))
    cuts = [silence.cut(ramp, "ramp", "train", number) for number in range(50)]
    assert len(set(cuts)) == 50
    seconds = [np.frombuffer(read_pcm(wav), "<i2").astype(int) for wav in cuts]
    rises = [second[-1] - second[0] for second in seconds]  # at full volume 1,600
    assert min(rises) < 400
    assert 1200 < max(rises) <= 1600
    assert silence.cut(ramp, "ramp", "train", 0) == cuts[0]
    assert silence.cut(ramp, "other", "train", 0) != cuts[0]


def test_noise_that_cannot_be_cut_is_named():
    short = small.wav(np.ones(8 * small.SAMPLE_RATE, np.int16))
    with pytest.raises(UserError, match=r"tap.wav lasts 8.0 s: too short .* for val"):
        silence.cut(short, "tap.wav", "val", 0)
    with pytest.raises(UserError, match=r"tap.wav has 8000 Hz, not 16000"):
        silence.cut(small.wav(np.ones(160_000, np.int16), 8000), "tap.wav", "val", 0)


def changed(**contents: str) -> dict[str, bytes]:
    """The archive with some clips replaced by the content of another: word_speaker -> name."""
    files = dict(FILES)
    for key, source in contents.items():
        word, number = key.split("_")
        files[f"./{word}/{small.SPEAKERS[int(number)]}_nohash_0.wav"] = FILES[source]
    return files


def name_of(word: str, number: int) -> str:
    return f"./{word}/{small.SPEAKERS[number]}_nohash_0.wav"


def test_copies_under_two_words_are_left_out_and_said(place):
    corpus = open_small(place, files=changed(yes_2=name_of("no", 2)))
    paths = {clip.path for clip in corpus.clips}
    assert len(paths) == corpus.n_clips - 2
    assert not paths & {name_of("yes", 2)[2:], name_of("no", 2)[2:]}
    [note] = corpus.notes
    assert note.startswith("2 left out, the same recording under two words: ")


def test_a_copy_of_a_test_clip_is_not_trained_on(place):
    # Speaker 0 is for testing, 1 for validation, 2 and 3 to train on.
    files = changed(yes_2=name_of("yes", 0), yes_1=name_of("yes", 0), no_3=name_of("no", 2))
    corpus = open_small(place, files=files)
    paths = {clip.path for clip in corpus.clips}
    assert name_of("yes", 0)[2:] in paths
    assert not paths & {name_of("yes", 1)[2:], name_of("yes", 2)[2:]}
    assert {name_of("no", 2)[2:], name_of("no", 3)[2:]} <= paths  # both to train on
    [note] = corpus.notes
    assert note.startswith("2 left out, the same recording in two subsets: ")


def test_a_clip_without_sound_is_left_out_and_said(place):
    files = {**FILES, name_of("yes", 2): small.wav(np.zeros(16000, np.int16))}
    corpus = open_small(place, files=files)
    assert name_of("yes", 2)[2:] not in {clip.path for clip in corpus.clips}
    assert corpus.notes == [f"1 left out, no sound in it: {name_of('yes', 2)[2:]}"]


def test_the_clips_of_a_tar_wait_on_disk_not_in_memory(place):
    long = {
        name: content if not name.startswith("./yes") else content + bytes(2 << 20)
        for name, content in FILES.items()
    }
    corpus = open_small(place, files=long)
    tracemalloc.start()
    try:
        for _ in corpus.clips:
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20  # of 66 MB
    assert not list((place.parent / "checkout/data").iterdir())


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that stands at the official address."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{httpd.server_port}/{speech_commands.ARCHIVE_NAMES[0]}"
        monkeypatch.setattr(speech_commands, "URL", address)
        yield folder
        httpd.shutdown()


def test_a_fetched_archive_must_be_the_published_file(place, site, tmp_path):
    published = small.write_archive(site / speech_commands.ARCHIVE_NAMES[0], FILES)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    root = tmp_path / "checkout"

    def fetch(sha256: str):
        layout = dataclasses.replace(small.LAYOUT, sha256=sha256)
        return speech_commands.open_speech_commands(root, None, "digits", layout=layout)

    with pytest.raises(UserError, match="has the SHA-256 .*, not 000000000000"):
        fetch("0" * 64)
    assert not (root / "data/archives" / published.name).exists()
    assert len(list(fetch(digest).clips)) == 90
    assert (root / "data/archives" / published.name).exists()
