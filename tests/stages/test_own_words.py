"""docs/own-words.md to the letter: from recordings in several formats to a word and to C."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from recordings import REPOSITORY, tone
from workspace import Workspace

PAGE = REPOSITORY / "docs" / "own-words.md"
WORDS = ("yes", "no", "stop")
TAKES = {"anna": 12, "ben": 10, "cleo": 7}
FORMATS = {"anna": (8000, "wav"), "ben": (44_100, "flac"), "cleo": (16_000, "ogg")}


def commands() -> list[list[str]]:
    """The command lines of the page, in order, but for words that nobody records."""
    lines = re.findall(r"^    (spoken-digits .*)$", PAGE.read_text(), re.M)
    return [shlex.split(line) for line in lines if "--say" not in line]


def write_words(folder: Path) -> None:
    """Words as tones: three speakers, each with a format and a number of takes of their own."""
    for w, word in enumerate(WORDS):
        (folder / word).mkdir(parents=True)
        for s, (speaker, takes) in enumerate(TAKES.items()):
            rate, ending = FORMATS[speaker]
            for take in range(takes - 2 * w):
                clip = tone(400 * (w + 1) + 20 * s, 0.3 + 0.02 * take, rate, seed=100 * w + take)
                soundfile.write(folder / word / f"{speaker}_{take}.{ending}", clip, rate)


def write_phone(path: Path) -> None:
    """Two takes of the three words, half a second apart, at 44.1 kHz."""
    silence = np.random.default_rng(0).normal(0, 1e-3, 22_050)
    said = [tone(400 * (w % 3 + 1), 0.4, 44_100, seed=w) for w in range(6)]
    soundfile.write(
        path, np.concatenate([silence, *(x for s in said for x in (s, silence))]), 44_100
    )


_RAN = re.compile(r"(?:^\[\d+ of \d+\] |Running stage ')([\w@-]+)", re.MULTILINE)
"""A stage that ran: beside others, or alone on a machine of one core."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    """A checkout with few epochs of a small `tiny`, and the command on the path."""
    folder = tmp_path_factory.mktemp("own")
    workspace = Workspace(folder / "checkout")

    def shrink(params: dict) -> None:
        tiny = params["variants"]["tiny"]
        tiny |= {"stem_channels": 8, "blocks": [{"channels": 16, "stride": [2, 2]}]}
        tiny["train"] |= {"epochs": 40, "batch_size": 16}
        tiny["train"]["sound"]["mel_banks"] = 3

    workspace.change(shrink)
    workspace.run("git", "init", "--quiet", "--initial-branch=main")
    workspace.run("git", "add", "--all")
    workspace.run("git", "commit", "--quiet", "--message", "start")
    script = folder / "bin" / "spoken-digits"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m spoken_digits "$@"\n')
    script.chmod(0o755)
    return workspace


@pytest.mark.pipeline
@pytest.mark.exhaustive
def test_the_page_is_true_to_the_letter(workspace):
    write_words(workspace.folder / "my-words")
    write_phone(workspace.folder / "phone.wav")
    script = str(workspace.folder.parent / "bin" / "spoken-digits")
    path = {"PYTHONPATH": str(workspace.folder)}
    printed = {}
    todo = commands()
    assert [command[1] for command in todo] == (
        ["run", "record", "record", "inspect", "run", "report", "predict", "export"]
    )
    for command in todo[1:]:  # the first is the same `run` again, as a summary
        without_microphone = command[1] == "record" and "--from" not in command
        done = workspace.run(script, *command[1:], extra=path, check=not without_microphone)
        if without_microphone:
            assert done.returncode == 1
            assert "--from" in done.stderr
        printed[command[1]] = done.stdout
    # Anna's takes from the telephone were added to those she had.
    assert (workspace.folder / "my-words/yes/anna_13.wav").exists()
    assert "75 recordings of 3 words, 3 speaker(s): anna, ben, cleo" in printed["inspect"]
    ran = set(_RAN.findall(printed["run"]))
    assert {name.partition("@")[2] for name in ran if name.startswith(("train", "quantize"))} == {
        "tiny",
        "tiny-int8",
    }
    assert "tiny.int8" in printed["run"].splitlines()[-3]
    assert re.search(r"my-words/yes/anna_0\.wav: (yes|no|stop)    ", printed["predict"])
    expected = json.loads((workspace.folder / "metrics/expected/tiny.json").read_text())
    assert set(expected) == {"tiny", "tiny.int8"}
    assert expected["tiny"]["mean"] > 0.5  # tones are easy, chance is a third
    assert set(expected["tiny"]["per_speaker"]) == set(TAKES)
    report = (workspace.folder / "report.md").read_text()
    assert report.startswith("# Own recordings\n")
    assert f"{100 * expected['tiny']['per_speaker']['cleo']['mean']:.2f}" in report
    assert (workspace.folder / "export/tiny.int8/src/model.h").exists()
    params = yaml.safe_load((workspace.folder / "params.yaml").read_text())
    assert params["corpus"]["name"] == "folder"
    # Nothing is trained twice.
    again = workspace.run(script, *todo[4][1:], extra=path).stdout
    assert not _RAN.findall(again)
    assert "recorded for this plan and these recordings" in again
