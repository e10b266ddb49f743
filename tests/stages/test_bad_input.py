"""Mistakes of users give one clear line and exit status 1, and leave earlier outputs intact."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile
from recordings import PATTERN, write_recordings
from workspace import Workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A workspace with all outputs up to a trained model."""
    folder = tmp_path_factory.mktemp("bad-input")
    workspace = Workspace(folder / "checkout")
    workspace.shrink(write_recordings(folder / "recordings"), PATTERN)
    workspace.change(lambda params: params["train"].update(epochs=12))
    for stage in (
        ["download"],
        ["feature_extract", "mfcc"],
        ["split"],
        ["plan"],
        ["train", "lstm"],
    ):
        workspace.stage(*stage)
    return workspace


@pytest.fixture
def refused(workspace):
    """Run a stage that must fail; return its one line; everything else is as it was."""
    params = (workspace.folder / "params.yaml").read_bytes()
    before = workspace.files()

    def run(*stage: str, edit=None, **options) -> str:
        if edit:
            workspace.change(edit)
        kept = workspace.files()
        result = workspace.stage(*stage, check=False, **options)
        assert result.returncode == 1, result.stdout + result.stderr
        assert result.stderr.startswith("error: "), result.stderr
        assert result.stderr.count("\n") == 1, result.stderr
        assert workspace.files() == kept
        return result.stderr

    yield run
    (workspace.folder / "params.yaml").write_bytes(params)
    for name in set(workspace.files()) - set(before):
        (workspace.folder / name).unlink()
    for name, content in before.items():
        (workspace.folder / name).unlink(missing_ok=True)
        (workspace.folder / name).write_bytes(content)


def corpus(**changes):
    return lambda params: params["corpus"].update(changes)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (corpus(name="fssd"), "`corpus.name` is 'fssd', must be one of fsdd"),
        (corpus(limt=3), "unknown key `corpus.limt`; did you mean `limit`?"),
        (corpus(limit="many"), "`corpus.limit` is 'many', must be a whole number"),
        (
            corpus(limit=0),
            "`corpus.limit` is 0, must be a whole number from 1 to 1,000,000, or null, such as 300",
        ),
        (corpus(path="nowhere"), "nowhere is not a folder"),
        (lambda params: params.pop("corpus"), "`corpus` is missing"),
    ],
)
def test_parameters_of_download(refused, edit, message):
    assert message in refused("download", edit=edit)


def test_no_archive_in_reach(refused, workspace, monkeypatch):
    # An address that refuses at once, as a machine without a network does.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    line = refused("download", edit=corpus(name="audiomnist"))
    for word in ("no-archives", "data/archives", "github.com", "-S corpus.name=synthetic"):
        assert word in line
    check = workspace.stage("download", "--check", check=False)
    assert check.returncode == 3


def test_a_broken_archive(refused, workspace):
    name = "free-spoken-digit-dataset-1.0.10.tar.gz"
    folder = workspace.folder / "no-archives"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"\x1f\x8b\x08" + bytes(100))
    try:
        line = refused("download", edit=corpus(name="fsdd"))
    finally:
        (folder / name).unlink()
    assert name in line
    assert "cut short or damaged" in line


def test_a_recording_that_is_not_audio(refused, workspace, tmp_path):
    folder = write_recordings(tmp_path / "own")
    (folder / "yes" / "broken_1.wav").write_bytes(b"RIFF....")
    line = refused("download", edit=corpus(path=str(folder)))
    assert "yes/broken_1.wav cannot be read as audio" in line


def test_a_full_disk_while_downloading(refused):
    line = refused(
        "download",
        afresh=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert "no room left to write" in line


def test_a_full_disk_while_extracting(refused):
    line = refused(
        "feature_extract",
        "mfcc",
        afresh=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert "no room left to write" in line


def test_a_damaged_clip_archive(refused, workspace):
    archive = workspace.folder / "data/raw/audio.zip"
    content = bytearray(archive.read_bytes())
    content[3000] ^= 0xFF
    archive.write_bytes(content)
    assert "is damaged" in refused("feature_extract", "mfcc")


def test_features_of_another_corpus(refused, workspace):
    manifest = workspace.folder / "data/raw/manifest.csv"
    manifest.write_text(manifest.read_text().replace("no/anna_0,", "no/anna_9,", 1))
    assert "is of another corpus than the manifest" in refused("train", "lstm")


@pytest.mark.parametrize(
    ("stage", "edit", "message"),
    [
        (
            ["split"],
            lambda params: params["split"].update(val_fraction=0.001),
            "`split.val_fraction` leaves val empty",
        ),
        (
            ["split"],
            lambda params: params["split"].update(test_fraction="half"),
            "`split.test_fraction` is 'half', must be a number",
        ),
        (["split"], lambda params: params.update(seed="x"), "`seed` is 'x'"),
        (
            ["plan"],
            lambda params: params["train"].update(epoch=3),
            "unknown key `train.epoch`; did you mean `epochs`?",
        ),
        (
            ["plan"],
            lambda params: params["train"].update(learning_rate=1e38),
            "`train.learning_rate` is 1e+38, must be a number above 0 and at most 10",
        ),
        (
            ["train", "lstm"],
            lambda params: params["train"].update(epochs=3),
            "params.yaml has changed since data/plans was made: run `dvc repro plan`",
        ),
        (
            ["train", "lstmm"],
            None,
            "no model 'lstmm' in params.yaml; there are cnn, lstm, lstm_36kb, tiny",
        ),
        (["train", "cnn"], None, "is missing: make it with `dvc repro feature_extract`"),
        (["evaluate", "lstm_36kb"], None, "lstm_36kb.safetensors is missing"),
        (["quantize", "lstm", "int8_dynamic"], None, "metrics/lstm.json is missing"),
    ],
)
def test_later_stages(refused, stage, edit, message):
    assert message in refused(*stage, edit=edit)


def test_a_model_of_other_words(refused, workspace):
    models = workspace.folder / "models"
    manifest = workspace.folder / "data/raw/manifest.csv"
    manifest.write_text(manifest.read_text().replace(",stop,", ",halt,"))
    line = refused("evaluate", "lstm")
    assert str(Path("models/lstm.safetensors")) in line
    assert "was trained on the words no, stop, yes" in line
    assert models.is_dir()


def test_predict_continues_after_an_unreadable_file(workspace, tmp_path):
    (tmp_path / "notes.txt").write_text("not audio")
    soundfile.write(tmp_path / "yes.flac", 0.5 * np.sin(np.arange(8820) / 10), 22050)
    command = ["python", "-m", "spoken_digits.predict", "models/lstm.safetensors"]
    result = workspace.run(
        *command, str(tmp_path / "notes.txt"), str(tmp_path / "yes.flac"), check=False
    )
    assert result.returncode == 1
    assert "notes.txt cannot be read as audio" in result.stderr
    assert "yes.flac: " in result.stdout
    chances = [float(word) for word in result.stdout.split() if word.startswith("0.")]
    assert sum(chances) == pytest.approx(1, abs=1e-3)


def test_predict_says_how_much_of_a_long_recording_it_uses(workspace, tmp_path):
    for name, seconds in (("short", 0.7), ("long", 1.44)):
        wave = 0.5 * np.sin(np.arange(int(seconds * 16000)) / 10)
        soundfile.write(tmp_path / f"{name}.wav", wave, 16000)
    command = ["python", "-m", "spoken_digits.predict", "models/lstm.safetensors"]
    result = workspace.run(*command, *(str(tmp_path / f"{n}.wav") for n in ("short", "long")))
    assert result.stdout.count("\n") == 2
    assert result.stderr == (
        f"note: {tmp_path / 'long.wav'}: only 0.00 to 0.72 s of 1.44 s are heard\n"
    )


def test_predict_says_what_was_trained(workspace):
    folder = workspace.folder.parent / "recordings"
    command = ["python", "-m", "spoken_digits.predict", "models/lstm.safetensors"]
    files = [str(folder / word / "anna_0.wav") for word in ("yes", "no", "stop")]
    lines = workspace.run(*command, *files).stdout.splitlines()
    assert [line.split(": ")[1].split()[0] for line in lines] == ["yes", "no", "stop"]
