"""`spoken-digits predict`: forms of the answer, folders, stdin, words of any script."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from damaged import MODELS, put, write_damaged
from recordings import REPOSITORY, tone

from spoken_digits import audio
from spoken_digits.cli import answers, main
from spoken_digits.errors import UserError
from spoken_digits.recogniser import Recogniser

LABELS = ["نعم", "לא", "止まれ"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    write_damaged(path, MODELS["int8"](), put("labels", to=LABELS))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """More recordings than fit a block, two of them longer than what is heard."""
    top = tmp_path_factory.mktemp("clips")
    for i in range(70):
        soundfile.write(
            top / f"{i:02d}.wav", tone(300 + 10 * i, 1.5 if i < 7 else 0.3, seed=i), 8000
        )
    return top


def predict(capsys, *arguments):
    main.main(["predict", *map(str, arguments)])
    return capsys.readouterr()


def test_blocks_in_threads_say_what_one_clip_at_a_time_says(model, folder):
    recogniser = Recogniser(model)
    found = list(answers.recognise(recogniser, answers.find([str(folder)])))
    assert [answer.file for answer in found] == [str(p) for p in sorted(folder.iterdir())]
    for answer in found[::23]:
        waveform, audio_format = audio.read(Path(answer.file))
        alone = recogniser(waveform, audio_format.sample_rate)
        np.testing.assert_array_equal(answer.chances, alone)


def test_csv_has_a_row_a_recording_and_the_words_by_rank(model, folder, capsys):
    out = predict(capsys, model, folder, "--format", "csv", "--top", "2").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 70
    assert list(rows[0]) == ["file", "word", "word_1", "probability_1", "word_2", "probability_2"]
    for row in rows:
        assert {row["word_1"], row["word_2"]} <= set(LABELS)
        assert row["word"] == row["word_1"]
        assert float(row["probability_1"]) >= float(row["probability_2"])


def test_json_says_what_was_heard(model, folder, capsys):
    rows = json.loads(predict(capsys, model, folder / "00.wav", "--format", "json").out)
    assert [len(row["words"]) for row in rows] == [3]
    assert sum(word["probability"] for word in rows[0]["words"]) == pytest.approx(1, abs=1e-5)
    start, end = rows[0]["heard_s"]
    assert end - start == pytest.approx(Recogniser(model).heard_s, abs=1e-3)


def test_words_from_right_to_left_do_not_turn_a_table_around(model, folder, capsys):
    out = predict(capsys, model, folder / "20.wav", folder / "21.wav", "--format", "table").out
    head, *rows = out.splitlines()
    assert head.startswith("recording ")
    assert head.split().count("probability") == 3
    for row in rows:
        for word in LABELS[:2]:
            assert word + "\u200e" in row  # whatever follows stays on its right
        assert "止まれ\u200e" not in row


def test_of_many_notes_the_first_are_said_and_the_rest_counted(model, folder, capsys):
    notes = predict(capsys, model, folder).err.splitlines()
    assert len(notes) == 6
    assert notes[-1] == "note: and 2 more such notes"


def test_a_recording_comes_from_stdin(model, monkeypatch, capsys):
    wav = audio.to_wav(tone(440, 0.4), 8000)
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(wav)))
    assert predict(capsys, model, "-").out.startswith("-: ")


def test_standard_input_that_is_closed_empty_or_named_twice(model, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UserError, match="1 of 1 files could not be read"):
        predict(capsys, model, "-")
    assert "standard input is closed" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(UserError, match="1 of 1 files could not be read"):
        predict(capsys, model, "-")
    assert "stdin is empty" in capsys.readouterr().err
    with pytest.raises(UserError, match="- is given twice"):
        predict(capsys, model, "-", "-")


def test_files_that_differ_in_their_ending_are_two_recordings(model, tmp_path, capsys):
    for name in ("a.wav", "a.flac"):
        soundfile.write(tmp_path / name, tone(300, 0.3), 8000)
    out = predict(capsys, model, tmp_path, "--format", "csv").out
    files = [row["file"] for row in csv.DictReader(io.StringIO(out))]
    assert sorted(Path(file).name for file in files) == ["a.flac", "a.wav"]


def test_json_is_whole_where_the_output_cannot_hold_the_words(model, tmp_path):
    file = tmp_path / "a.wav"
    soundfile.write(file, tone(300, 0.3), 8000)
    odd = tmp_path / os.fsdecode(b"b\xff.wav")
    shutil.copy(file, odd)
    command = [sys.executable, "-m", "spoken_digits", "predict", model, file, odd]
    for encoding in ("ascii", "utf-8:strict"):
        done = subprocess.run(
            [*command, "--format", "json"],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout.decode("ascii" if encoding == "ascii" else "utf-8"))
        assert [Path(row["file"]).name for row in found] == ["a.wav", "b\udcff.wav"]
        assert found[0]["word"] in LABELS


def test_a_name_stands_for_the_file_in_models(model, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.int8.safetensors").write_bytes(model.read_bytes())
    assert predict(capsys, "tiny.int8", folder / "20.wav").out.count("\n") == 1
    with pytest.raises(UserError, match=r"did you mean `tiny\.int8`"):
        predict(capsys, "tiny.int4", folder / "20.wav")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{model}", "{empty}"], "holds no recordings"),
        (["{model}", "{clip}", "--top", "0"], "--top 0 shows no word"),
        (["{model}", "{empty}/none.wav"], "1 of 1 files could not be read"),
        (["{clip}", "{clip}"], "is not a whole .safetensors file"),
    ],
)
def test_mistakes_are_one_line(arguments, message, model, folder, tmp_path, capsys):
    places = {"model": model, "clip": folder / "20.wav", "empty": tmp_path}
    with pytest.raises(UserError, match=message):
        predict(capsys, *(argument.format(**places) for argument in arguments))


def test_a_model_of_another_version_says_how_to_make_it_anew(folder, tmp_path, capsys):
    old = tmp_path / "old.safetensors"
    write_damaged(old, MODELS["int8"](), put("features", "gains", to=[79] * 13))
    with pytest.raises(UserError, match=r"unknown key `features\.gains`.*dvc repro"):
        predict(capsys, old, folder / "20.wav")
