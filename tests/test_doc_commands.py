"""Every command that a page shows: run where that is cheap, otherwise read by its own parser.

`make` prints what it would do; DVC's parser reads its options, and stages and keys are looked up;
scripts and `spoken-digits` read their arguments and stop there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import doc_commands
import pytest
import yaml
from doc_commands import Command
from recordings import REPOSITORY, tone, write_recordings

from spoken_digits.audio import to_wav
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.cli import main

COMMANDS = doc_commands.commands()
OLDER_NAMES = ("compare", "predict", "budget", "listen")
"""``python -m spoken_digits.<name>`` is `spoken-digits <name>`."""
RUN = (
    r"budget .*",
    r"compare \S+ \S+ --predictions .*",  # without predictions it asks DVC: seconds
    r"completion .*",
    r"inspect \S+",  # with a model it needs one
)
"""`spoken-digits` commands that are run, on committed files or made-up recordings."""


class Parsed(BaseException):
    """Raised as soon as the arguments are read, so that nothing else happens; holds them."""


PARAMS = yaml.safe_load((REPOSITORY / "params.yaml").read_text())


def of(program: str) -> list[Command]:
    return [command for command in COMMANDS if command.words[0] == program]


def is_mention(words: tuple[str, ...]) -> bool:
    """Whether running text only names a command: `spoken-digits compare`."""
    return len(words) == 2


def test_the_pages_show_commands_of_every_kind():
    """No page may lose its commands to the search for them."""
    assert len(COMMANDS) > 150
    for program in doc_commands.PROGRAMS:
        assert of(program), program
    for name in main.COMMANDS:
        assert any(c.words[:2] == ("spoken-digits", name) for c in COMMANDS), name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Then\n\n    make test   # lint\n", ["make test"]),
        ("Then\n    make test\n", []),  # a paragraph goes on
        ("```\ndvc repro && dvc push\n```", ["dvc repro", "dvc push"]),
        ("```python\nmake = 1\n```", []),
        ("```text\nmake test\n```", []),
        ("    dvc exp run \\\n      -S a=1", ["dvc exp run -S a=1"]),
        ("\n    cat a.wav | spoken-digits predict m - > b", ["spoken-digits predict m -"]),
        ("says `make\nhelp` and `makes`", ["make help"]),
    ],
)
def test_commands_are_found_where_pages_show_them(text, found):
    blocks, prose = doc_commands.split_page(text)
    texts = [*blocks, *doc_commands._INLINE.findall(prose)]
    commands = [words for part in texts for words in doc_commands.simple_commands(part)]
    shown = [shlex.join(words) for words in commands if words[0] in doc_commands.PROGRAMS]
    assert shown == found


def targets_of(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / makefile).read_text(), re.M))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_knows_every_target():
    exported = targets_of("firmware/package/Makefile")
    targets = set()
    for command in of("make"):
        goals = {word for word in command.words[1:] if "=" not in word}
        if command.page in ("docs/export.md", "docs/deploy.md") and goals <= exported:
            continue  # of an exported folder
        targets |= goals
    made = subprocess.run(
        ["make", "--dry-run", *sorted(targets)], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    helped = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True)
    listed = set(re.findall(r"^  make ([a-z-]+) ", helped.stdout, re.M))
    assert targets <= listed


def test_messages_name_targets_of_make_and_stages_that_there_are(stages):
    targets = targets_of("Makefile") | targets_of("firmware/package/Makefile")
    named, reproduced = set(), set()
    for part in ("spoken_digits", "stages", "benchmarks"):
        for path in (REPOSITORY / part).rglob("*.py"):
            text = path.read_text()
            named |= set(re.findall(r"`make ([a-z-]+)`", text))
            reproduced |= set(re.findall(r"`dvc repro ([a-z_]+)(?:@[^`]*)?`", text))
    assert {"crossval", "results"} <= named
    assert named <= targets
    assert {"quantize", "download"} <= reproduced <= stages["dvc.yaml"]


@pytest.fixture(scope="module")
def stages() -> dict[str, set[str]]:
    """Names of the stages of each pipeline, and of groups that a name without @ runs."""
    from dvc.dvcfile import load_file
    from dvc.repo import Repo

    known = {}
    with Repo(str(REPOSITORY)) as repo:
        for path in ("dvc.yaml", "studies/dvc.yaml", "studies/ablation/dvc.yaml"):
            names = set(load_file(repo, str(REPOSITORY / path)).resolver.get_keys())
            known[path] = names | {name.partition("@")[0] for name in names}
    return known


def has_key(dotted: str) -> bool:
    """Whether params.yaml has this key."""
    section = PARAMS
    for part in dotted.split("."):
        if not isinstance(section, dict) or part not in section:
            return False
        section = section[part]
    return True


@pytest.mark.parametrize("command", of("dvc"), ids=str)
def test_dvc_reads_it_and_its_stages_and_keys_exist(command, stages):
    from dvc.cli.parser import get_main_parser
    from dvc.exceptions import DvcException

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            read = get_main_parser().parse_args(list(command.words[1:]))
    except (DvcException, SystemExit) as error:
        pytest.fail(f"{error}: {said.getvalue()}")
    if read.cmd in ("repro", "exp", "commit", "status"):
        for target in getattr(read, "targets", None) or []:
            path, _, name = target.rpartition(":")
            assert name in stages[path or "dvc.yaml"] or (REPOSITORY / target).is_file(), target
    for override in getattr(read, "set_param", None) or []:
        key, _, value = override.partition("=")
        assert has_key(key), f"params.yaml has no {key}"
        assert value


def known_models() -> set[str]:
    """Names of all models and of their quantized versions."""
    opened = PARAMS["corpus"]["rejection"]["models"]
    names = {*PARAMS["variants"], *opened}
    integers = {
        f"{one['model']}.{one['scheme']}" for one in PARAMS["quantize"]["networks"].values()
    }
    return names | integers | {f"{name}.int8" for name in opened}


def check_names(read: argparse.Namespace) -> None:
    """Fail if the arguments name a model that there is not."""
    given = [getattr(read, key, None) or [] for key in ("model", "models", "a", "b")]
    for name in (x for value in given for x in (value if isinstance(value, list) else [value])):
        bare = Path(name).name.partition("@")[0].removesuffix(".safetensors")
        scheme = getattr(read, "scheme", None)
        full = bare if scheme is None else f"{bare}.{scheme}"
        assert full in known_models(), f"there is no model {full}"


@contextlib.contextmanager
def only_parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`sys.argv` is `words`, and reading them raises `Parsed`."""
    parse = argparse.ArgumentParser.parse_args

    def stop(self, *arguments, **options):
        raise Parsed(parse(self, *arguments, **options))

    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", words)
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        yield


def read_by_script(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a script of the repository would not take these arguments: script, arguments."""
    path = REPOSITORY / words[0]
    assert path.is_file(), f"there is no {words[0]}"
    if len(words) == 1 and "argparse" not in path.read_text():
        return
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(path.parent))
        script = runpy.run_path(str(path), run_name="read")
    start = script.get("parse_arguments") or script["main"]
    with only_parsed(words, monkeypatch), pytest.raises(Parsed) as read:
        start()
    check_names(read.value.args[0])


def read_by_console(arguments: list[str]) -> None:
    """Fail if `spoken-digits` would not take these arguments."""
    check_names(main.make_parser().parse_args(arguments))


@pytest.mark.parametrize("command", [*of("python"), *of("torchrun")], ids=str)
def test_scripts_and_modules_read_their_arguments(command, monkeypatch):
    words = list(command.words[1:])
    if command.words[0] == "torchrun":
        from torch.distributed.run import get_args_parser

        read = get_args_parser().parse_args(words)
        words = [read.training_script, *read.training_script_args]
    if words[0] == "-c":
        compile(words[1], "a page", "exec")
    elif words[0] == "-m":
        package, _, name = words[1].partition(".")
        assert package == "spoken_digits"
        assert name in (*OLDER_NAMES, "")
        if not is_mention(tuple(words)):
            read_by_console([name, *words[2:]])
    else:
        read_by_script(words, monkeypatch)


@pytest.mark.parametrize("command", of("spoken-digits"), ids=str)
def test_spoken_digits_reads_it(command):
    arguments = list(command.words[1:])
    if is_mention(command.words):
        assert arguments[0] in main.COMMANDS
    elif "--help" in arguments:
        with pytest.raises(SystemExit) as stopped:
            main.make_parser().parse_args(arguments)
        assert stopped.value.code == 0
    else:
        read_by_console(arguments)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """A folder with the recordings that pages name."""
    path = tmp_path_factory.mktemp("recordings")
    write_recordings(path / "my-words", takes=2)
    (path / "recording.wav").write_bytes(to_wav(to_pcm(tone(500, 0.5)), 8000))
    return path


def is_run(command: Command) -> bool:
    text = shlex.join(command.words[1:])
    return any(re.fullmatch(pattern, text) for pattern in RUN)


CHEAP = list({c.words: c for c in of("spoken-digits") if is_run(c)}.values())


@pytest.mark.parametrize("command", CHEAP, ids=str)
def test_cheap_commands_run(command, recordings, monkeypatch, capsys):
    monkeypatch.chdir(recordings if command.words[1] == "inspect" else REPOSITORY)
    main.main(command.words[1:])
    assert len(capsys.readouterr().out.splitlines()) >= 1
