"""The command as a whole: its parsers, its page, what it imports, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from damaged import LSTM, MODELS, card_of, write_damaged
from recordings import REPOSITORY, tone

from spoken_digits import audio
from spoken_digits.cli import main, page, tables
from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.models.card import write_model

HEAVY = {"torch", "pandas", "dvc", "scipy.signal", "matplotlib", "sklearn", "librosa"}


def loaded_by(*arguments: str) -> set[str]:
    """Modules that a command has loaded when it is done."""
    code = (
        "import json, sys\nfrom spoken_digits.cli.main import main\n"
        f"try: main({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_next_to_nothing():
    assert loaded_by("--help") & (HEAVY | {"numpy", "yaml"}) == set()


def test_the_budget_loads_neither_torch_nor_pandas_nor_dvc():
    assert loaded_by("budget", "--kib", "36") & HEAVY == set()


def test_an_integer_model_predicts_by_numpy_alone(tmp_path):
    write_damaged(tmp_path / "m.safetensors", MODELS["int8"](), lambda card, tensors: None)
    (tmp_path / "a.wav").write_bytes(audio.to_wav(tone(440, 0.4), 8000))
    found = loaded_by("predict", str(tmp_path / "m.safetensors"), str(tmp_path / "a.wav"))
    assert "spoken_digits.integer.graph" in found
    assert found & (HEAVY | {"scipy", "joblib"}) == set()


def test_a_float_model_predicts_without_what_only_training_needs(tmp_path):
    params = read_config(REPOSITORY / "params.yaml").section("features.log_mel", LogMelParams)
    card = card_of(LSTM, LogMel(params, 8000))
    write_model(tmp_path / "m.safetensors", card, card.make_network().state_dict())
    (tmp_path / "a.wav").write_bytes(audio.to_wav(tone(440, 0.4), 8000))
    found = loaded_by("predict", str(tmp_path / "m.safetensors"), str(tmp_path / "a.wav"))
    assert "torch" in found
    assert found & ((HEAVY | {"joblib"}) - {"torch"}) == set()


@pytest.mark.parametrize("name", main.COMMANDS)
def test_the_help_of_every_command_has_examples_that_parse(name, capsys):
    with pytest.raises(SystemExit) as done:
        main.main([name, "--help"])
    assert done.value.code == 0
    examples = main.command(name).EXAMPLES
    assert examples
    assert f"examples:\n  {examples[0]}" in capsys.readouterr().out
    for example in examples:
        words = example.partition("  #")[0].partition(" > ")[0].split("spoken-digits ")[-1].split()
        assert words[0] == name
        if "--help" not in words:
            main.make_parser().parse_args(words)


@pytest.mark.parametrize("arguments", [[], ["frobnicate"], ["budget"], ["predict", "a"]])
def test_a_line_that_cannot_be_read_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        main.main(arguments)
    assert done.value.code == 2
    assert "usage: spoken-digits" in capsys.readouterr().err


def test_a_mistake_is_one_line_and_exits_with_1():
    command = [sys.executable, "-m", "spoken_digits", "predict", "no-such-model", "a.wav"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: no model no-such-model")
    assert done.stderr.count("\n") == 1


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as done:
        main.main(["--version"])
    assert done.value.code == 0
    assert capsys.readouterr().out.startswith("spoken-digits 0.")


def test_the_page_is_that_of_the_parsers():
    found = (REPOSITORY / "docs" / "command.md").read_text()
    assert found == page.make(), "run `spoken-digits tables`"
    assert all(f"## {name}\n" in found for name in main.COMMANDS)


def test_the_tables_are_all_files_of_firmware_that_say_they_are_made():
    made = {
        path.relative_to(REPOSITORY)
        for path in (REPOSITORY / "firmware").rglob("*.[ch]")
        if "do not edit" in path.read_text()[:300]
    }
    found = tables.c_tables()
    assert set(found) == made
    for path, text in found.items():
        assert (REPOSITORY / path).read_text() == text, "run `spoken-digits tables`"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command_and_its_options(shell, capsys):
    main.main(["completion", shell])
    script = capsys.readouterr().out
    for word in (*main.COMMANDS, "--words", "--speaker", "--top"):
        assert word in script


@pytest.mark.parametrize("command", ["run", "verify", "report", "tables", "export tiny"])
def test_what_needs_a_checkout_says_where_it_is(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="clone the repository"):
        main.main(command.split())
    monkeypatch.chdir(REPOSITORY / "docs")
    with pytest.raises(UserError, match=f"run `cd {REPOSITORY}` first"):
        main.main(command.split())
