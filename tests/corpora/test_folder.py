"""Own recordings: words, speakers and takes; which files are skipped, followed or refused."""

from __future__ import annotations

import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recordings import write_recordings

from spoken_digits import audio, corpora
from spoken_digits.config import Config
from spoken_digits.corpora import folder
from spoken_digits.corpora.repeats import Repeats
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError


def clips_of(path: Path, label_pattern: str | None = None) -> list[Clip]:
    return list(folder.open_folder(path, None, label_pattern).clips)


def notes_of(path: Path) -> list[str]:
    corpus = folder.open_folder(path, None, None)
    list(corpus.clips)
    return list(corpus.notes)


def test_a_folder_gives_words_from_folder_names(recordings):
    path = recordings(words=("ja", "nein"))
    clips = list(folder.open_folder(path, None, None).clips)
    assert {clip.label for clip in clips} == {"ja", "nein"}
    assert {clip.speaker for clip in clips} == {"unknown"}
    assert len({(clip.label, clip.take) for clip in clips}) == len(clips) == 32


def test_a_folder_gives_words_speakers_and_takes_from_file_names(recordings, label_pattern):
    clips = list(folder.open_folder(recordings(), None, label_pattern).clips)
    clip = next(clip for clip in clips if clip.path == "stop/cleo_2.wav")
    assert (clip.label, clip.speaker, clip.take) == ("stop", "cleo", 2)


def test_a_mono_wav_is_kept_byte_for_byte_and_anything_else_becomes_one(recordings):
    path = recordings()
    original = (path / "yes" / "anna_0.wav").read_bytes()
    wave = np.sin(np.arange(3000) / 5) * 0.5
    soundfile.write(path / "yes" / "eva_0.flac", wave, 44100, subtype="PCM_24")
    soundfile.write(path / "yes" / "eva_1.wav", np.stack([wave, 0 * wave], 1), 22050)
    clips = {clip.path: clip for clip in folder.open_folder(path, None, None).clips}
    assert clips["yes/anna_0.wav"].wav == original
    decoded, audio_format = audio.decode(clips["yes/eva_0.wav"].wav, "flac")
    assert (audio_format.container, audio_format.sample_rate) == ("WAV", 44100)
    np.testing.assert_allclose(decoded, wave, atol=1e-4)
    decoded, audio_format = audio.decode(clips["yes/eva_1.wav"].wav, "stereo")
    assert audio_format.n_channels == 1
    np.testing.assert_allclose(decoded, wave / 2, atol=1e-4)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda p: (p / "yes" / "x.mp4").write_bytes(b"junk"), r"x.mp4 cannot be read as audio"),
        (lambda p: soundfile.write(p / "yes" / "x.wav", np.zeros(0), 8000), "x.wav holds no samp"),
        (lambda p: soundfile.write(p / "yes" / "x.wav", np.zeros(9), 8000), "x.wav holds only sil"),
        (
            lambda p: soundfile.write(p / "no" / "x.wav", np.full(9, np.nan), 8000, "FLOAT"),
            "x.wav holds samples that are not numbers",
        ),
        (lambda p: (p / "x.wav").write_bytes(b"junk"), "x.wav lies in no word's folder"),
        (
            lambda p: soundfile.write(p / "yes" / "anna_0.flac", np.ones(9), 8000),
            "differ only in their ending",
        ),
    ],
)
def test_an_unusable_recording_is_refused_by_name(recordings, break_it, message):
    path = recordings()
    break_it(path)
    with pytest.raises(UserError, match=message):
        list(folder.open_folder(path, None, None).clips)


def test_folders_that_cannot_be_a_corpus_are_refused(tmp_path, recordings):
    with pytest.raises(UserError, match="is not a folder"):
        folder.open_folder(tmp_path / "nowhere", None, None)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").touch()
    with pytest.raises(UserError, match="holds no recordings"):
        folder.open_folder(tmp_path / "empty", None, None)
    with pytest.raises(UserError, match="holds only the word 'yes'"):
        folder.open_folder(recordings(words=("yes",)), None, None)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "is not a regular expression"),
        ("(?P<word>x)", "needs a group named label"),
        ("(?P<label>[0-9]+)x", "does not fit corpus.label_pattern"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(recordings, pattern, message):
    with pytest.raises(UserError, match=message):
        folder.open_folder(recordings(), None, pattern)


NOT_AUDIO = {
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "desktop.ini": "\ufeff[.ShellClassInfo]".encode("utf-16-le"),
    "labels.xlsx": b"PK\3\4",
    "yes/anna_0.TextGrid": "\ufeffFile type".encode("utf-16-le"),
    "yes/anna_0.lab": b"0 100 yes",
    "yes/convert.py": b"import os",
    "yes/cover.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "no/picture.heic": b"\0\0\0\x18ftypheic\0\0\0\0",
    "no/picture.webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "no/empty": b"",
}


def test_files_that_are_not_audio_are_skipped_with_one_line(recordings):
    path = recordings()
    expected = clips_of(path)
    for name, content in NOT_AUDIO.items():
        (path / name).write_bytes(content)
    (path / ".DS_Store").write_bytes(b"hidden")
    assert clips_of(path) == expected
    (note,) = notes_of(path)
    assert f"skipped {len(NOT_AUDIO)} file(s)" in note
    for name in NOT_AUDIO:
        assert Path(name).suffix in note
    assert "Thumbs.db" in note
    assert ".DS_Store" not in note


def test_many_files_that_are_not_audio_are_counted_by_their_endings(recordings):
    path = recordings()
    for i in range(7):
        (path / f"yes/{i}.TextGrid").touch()
    assert "7 .TextGrid" in notes_of(path)[0]


@pytest.mark.parametrize("ending", ["", ".bin", ".m4a"])
def test_audio_is_accepted_with_any_ending(recordings, ending):
    path = recordings()
    soundfile.write(path / "yes/eva_0.flac", np.sin(np.arange(900)), 8000)
    (path / "yes/eva_0.flac").rename(path / f"yes/eva_0{ending}")
    assert "yes/eva_0.wav" in {clip.path for clip in clips_of(path)}


def test_all_unusable_recordings_are_named_in_one_run(recordings):
    path = recordings()
    for i in range(3):
        (path / f"yes/phone {i}.m4a").write_bytes(b"\0\0\0\x1cftypM4A \0\0\0\0")
    (path / "no/broken.wav").write_bytes(b"RIFF....")
    (path / "no/film").write_bytes(b"\x1aE\xdf\xa3" + bytes(20))
    soundfile.write(path / "no/silent.wav", np.zeros(9), 8000)
    with pytest.raises(UserError) as caught:
        clips_of(path)
    line = str(caught.value)
    assert line.startswith("6 of 54 recordings cannot be used: ")
    for name in ("phone 0.m4a", "phone 1.m4a", "phone 2.m4a", "broken.wav", "film", "silent.wav"):
        assert name in line
    assert f"ffmpeg -i {path}/no/broken.wav {path}/no/broken-mended.wav" in line
    assert "holds only silence" in line


def test_a_phone_recording_is_refused_with_the_command_that_converts_it(recordings):
    path = recordings()
    (path / "yes/a b.m4a").write_bytes(b"\0\0\0\x1cftypM4A \0\0\0\0")
    with pytest.raises(UserError) as caught:
        clips_of(path)
    assert f"`ffmpeg -i '{path}/yes/a b.m4a' '{path}/yes/a b.wav'`" in str(caught.value)


def test_a_phone_recording_beside_its_converted_copy_is_skipped(recordings):
    path = recordings()
    expected = clips_of(path)
    (path / "yes/anna_0.m4a").write_bytes(b"\0\0\0\x1cftypM4A \0\0\0\0")
    assert clips_of(path) == expected
    assert "yes/anna_0.m4a" in notes_of(path)[0]


def test_words_with_folders_of_speakers_are_refused_with_the_pattern_to_set(tmp_path):
    for speaker in ("s1", "s2"):
        for word in ("up", "down"):
            target = tmp_path / "own" / word / speaker
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(write_recordings(tmp_path / speaker, (word,)) / word, target)
    for i, file in enumerate((tmp_path / "own").rglob("*.wav")):
        soundfile.write(file, np.sin(np.arange(900) / (i + 1)), 8000)
    with pytest.raises(UserError, match=r"2 folders deep.*outer \(down, up\).*inner") as caught:
        clips_of(tmp_path / "own")
    outer, inner = [part for part in str(caught.value).split("'") if part.startswith("(?P")]
    clips = clips_of(tmp_path / "own", outer)
    assert {(clip.label, clip.speaker) for clip in clips} == {
        ("up", "s1"),
        ("up", "s2"),
        ("down", "s1"),
        ("down", "s2"),
    }
    assert {clip.label for clip in clips_of(tmp_path / "own", inner)} == {"s1", "s2"}


def test_a_deeper_tree_is_refused_with_patterns_that_fit(tmp_path):
    write_recordings(tmp_path / "anna" / "monday")
    with pytest.raises(UserError, match="3 folders deep") as caught:
        clips_of(tmp_path)
    _, inner = [part for part in str(caught.value).split("'") if part.startswith("(?P")]
    clips = clips_of(tmp_path, inner)
    assert {(clip.label, clip.speaker) for clip in clips} == {
        ("yes", "anna"),
        ("no", "anna"),
        ("stop", "anna"),
    }


def test_linked_folders_are_followed_and_said(recordings, tmp_path):
    path = recordings()
    expected = clips_of(path)
    shutil.move(path / "yes", tmp_path / "disk")
    (path / "yes").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert clips_of(path) == expected
    assert any("DVC does not look into linked folders (yes)" in note for note in notes_of(path))
    (tmp_path / "link").symlink_to(path, target_is_directory=True)
    assert clips_of(tmp_path / "link") == expected


@pytest.mark.parametrize(
    ("target", "message"),
    [(".", "is a link to a folder that holds it"), ("nowhere", "is a link to a missing file")],
)
def test_a_link_that_leads_nowhere_or_round_in_circles_is_refused(recordings, target, message):
    path = recordings()
    (path / "yes" / "again").symlink_to(path / target, target_is_directory=True)
    with pytest.raises(UserError, match=f"yes/again {message}"):
        clips_of(path)


def test_one_word_in_two_unicode_forms_is_one_word(recordings):
    path = recordings(words=("yes",))
    for i, form in enumerate(("NFC", "NFD")):
        word = path / unicodedata.normalize(form, "größe")
        word.mkdir()
        soundfile.write(word / f"{i}.wav", np.sin(np.arange(900) / (i + 1)), 8000)
    clips = clips_of(path)
    assert {clip.label for clip in clips} == {"yes", unicodedata.normalize("NFC", "größe")}
    assert sorted(clip.take for clip in clips if clip.label != "yes") == [0, 1]


def test_names_that_differ_only_in_their_unicode_form_are_refused(recordings):
    path = recordings()
    for i, form in enumerate(("NFC", "NFD")):
        word = path / unicodedata.normalize(form, "größe")
        word.mkdir()
        soundfile.write(word / "1.wav", np.sin(np.arange(900) / (i + 1)), 8000)
    with pytest.raises(UserError, match=r"same name.*gro\\u0308\\xdfe.*gr\\xf6\\xdfe"):
        clips_of(path)


@pytest.mark.parametrize("name", [b"a\nb.wav", b"\xff.wav"])
def test_names_that_no_table_can_hold_are_refused(recordings, name):
    path = recordings()
    shutil.copy(path / "yes/anna_0.wav", os.fsencode(path / "yes") + b"/" + name)
    with pytest.raises(UserError, match="control characters or invalid UTF-8"):
        clips_of(path)


def test_the_same_recording_under_two_words_is_refused_with_both_names(recordings):
    path = recordings()
    wave, rate = soundfile.read(path / "yes/anna_0.wav")
    soundfile.write(path / "no/copy.flac", wave, rate)
    with pytest.raises(UserError, match=r"no/copy\.flac and \S*yes/anna_0\.wav"):
        clips_of(path)
    (path / "no/copy.flac").rename(path / "yes/copy.flac")
    assert len(clips_of(path)) == 49


def test_repeats_of_one_word_are_fine():
    repeats = Repeats()
    repeats.add("a", "yes", "1")
    repeats.add("a", "yes", "2")
    repeats.check()


def test_a_damaged_recording_is_kept_mended_and_said(recordings):
    path = recordings()
    whole = (path / "yes/anna_0.wav").read_bytes()
    expected, _ = audio.decode(whole, "whole")
    (path / "yes/anna_0.wav").write_bytes(whole[:40] + bytes(4) + whole[44:])
    (clip,) = [clip for clip in clips_of(path) if clip.path == "yes/anna_0.wav"]
    waveform, audio_format = audio.decode(clip.wav, "mended")
    assert audio_format.note == ""
    np.testing.assert_array_equal(waveform, expected)
    (note,) = notes_of(path)
    assert note.startswith("no length in its header")
    assert note.endswith(": yes/anna_0.wav")


def test_the_folder_of_noise_is_no_word_and_is_said(recordings):
    path = recordings(words=("ja", "nein"))
    (path / folder.NOISE / "deep").mkdir(parents=True)
    shutil.copy(path / "ja/anna_0.wav", path / folder.NOISE / "deep/fan.wav")
    assert {clip.label for clip in clips_of(path)} == {"ja", "nein"}
    assert notes_of(path) == ["1 recording(s) in _noise_/ are noise, not a word"]
    assert folder.noise_files(path) == [path / folder.NOISE / "deep/fan.wav"]
    assert folder.noise_files(path / "ja") == []


def folder_params(default_params: Config, path: str) -> corpora.CorpusParams:
    default_params["corpus"] |= {"name": "folder", "path": path}
    return default_params.section("corpus", corpora.CorpusParams)


def test_a_queued_experiment_without_the_recordings_says_how_to_name_them(
    default_params, tmp_path, monkeypatch
):
    copy = tmp_path / ".dvc/tmp/exps/tmpabcdef"
    (copy / "data/recordings").mkdir(parents=True)
    monkeypatch.chdir(copy)
    with pytest.raises(UserError) as caught:
        corpora.open_corpus(folder_params(default_params, "data/recordings"), copy)
    assert str(caught.value).startswith("corpus.path data/recordings holds no recordings")
    assert "-S corpus.path=/absolute/path" in str(caught.value)
    assert "tmpabcdef" not in str(caught.value)


def test_a_link_in_place_of_the_tracked_folder_is_said(
    default_params, recordings, tmp_path, monkeypatch
):
    (tmp_path / "own").symlink_to(recordings(), target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    corpus = corpora.open_corpus(folder_params(default_params, "own"), tmp_path)
    assert any("corpus.path own is a link" in note for note in corpus.notes)
