from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spoken_digits import errors
from spoken_digits.errors import UserError
from spoken_digits.io import files


def test_a_file_is_replaced_only_when_whole(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    files.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "stale").touch()
    with files.replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "fresh").touch()
    assert [p.name for p in path.iterdir()] == ["fresh"]


@pytest.mark.parametrize("step", ["aside", "in", "remove"])
def test_a_kill_while_a_folder_is_replaced_loses_neither(tmp_path, step):
    """Killed before the old folder is aside, before the new one is in, before the old is gone."""
    path, made = tmp_path / "folder", tmp_path / "made"
    for folder, content in ((path, "old"), (made, "new")):
        folder.mkdir()
        (folder / "file").write_text(content)
    program = (
        "import os, shutil, signal, sys; from pathlib import Path\n"
        "from spoken_digits.io import files\n"
        "kill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "path, made, step = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]\n"
        "replace = Path.replace\n"
        "die_at = {'aside': path, 'in': made}.get(step)\n"
        "Path.replace = lambda self, to: kill() if self == die_at else replace(self, to)\n"
        "if step == 'remove': shutil.rmtree = kill\n"
        "files.move_into_place(made, path)"
    )
    result = subprocess.run([sys.executable, "-c", program, str(path), str(made), step])
    assert result.returncode == -signal.SIGKILL
    files.sweep(path)
    expected = {"aside": ("old", "new"), "in": ("old", "new"), "remove": ("new", None)}[step]
    assert (path / "file").read_text() == expected[0]
    if expected[1]:
        assert (made / "file").read_text() == expected[1]
    assert {p.name for p in tmp_path.iterdir()} <= {"folder", "made"}


def test_an_error_while_a_folder_is_replaced_puts_it_back(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "file").write_text("old")
    with pytest.raises(FileNotFoundError), files.replacing(path):
        pass  # nothing was made
    with pytest.raises(FileNotFoundError):
        files.move_into_place(tmp_path / "missing", path)
    assert (path / "file").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize(("before", "after"), [("file", "folder"), ("folder", "file")])
def test_a_file_replaces_a_folder_and_a_folder_a_file(tmp_path, before, after):
    make = {"file": Path.touch, "folder": Path.mkdir}
    make[before](tmp_path / "name")
    with files.replacing(tmp_path / "name") as temporary:
        make[after](temporary)
    assert (tmp_path / "name").is_dir() == (after == "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["name"]


def test_a_link_to_a_folder_is_replaced_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    (tmp_path / "name").symlink_to(tmp_path / "elsewhere")
    with files.replacing(tmp_path / "name") as temporary:
        temporary.mkdir()
    assert not (tmp_path / "name").is_symlink()
    assert (tmp_path / "elsewhere" / "file").exists()


def test_leftovers_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    pid = int(dead.stdout)
    left = [f".file.{pid}.tmp", f".file.{10**30}.tmp", f".file.{os.getpid()}.tmp"]
    stays = [f".file.{os.getppid()}.tmp", f".other.{pid}.tmp", ".file.x.tmp", ".file.1"]
    for name in left + stays:
        (tmp_path / name).touch()
    (tmp_path / f".file.{pid}.old").mkdir()
    (tmp_path / "file").touch()
    files.write_bytes(tmp_path / "file", b"content")
    assert {p.name for p in tmp_path.iterdir()} == {"file", *stays}


def test_a_linked_output_is_not_written_through(tmp_path):
    cached = tmp_path / "cached"
    cached.write_bytes(b"cached")
    path = tmp_path / "output"
    path.hardlink_to(cached)
    files.write_bytes(path, b"new")
    assert cached.read_bytes() == b"cached"


def test_tables_and_json_have_the_same_bytes_on_every_system(tmp_path):
    files.write_csv(tmp_path / "a.csv", ("x", "y"), [(1, "b,c")])
    assert (tmp_path / "a.csv").read_bytes() == b'x,y\n1,"b,c"\n'
    files.write_json(tmp_path / "a.json", {"b": 1, "a": 0.5})
    assert (tmp_path / "a.json").read_bytes() == b'{\n  "b": 1,\n  "a": 0.5\n}\n'


def test_broken_json_names_the_file_and_the_command(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(UserError, match=r"a.json is missing: make it with `dvc repro x`"):
        files.read_json(path, "dvc repro x")
    path.write_text("{")
    with pytest.raises(UserError, match=r"a.json is not valid JSON.*`dvc repro x`"):
        files.read_json(path, "dvc repro x")


def test_a_full_disk_gives_one_line_and_keeps_the_old_content(tmp_path):
    path = tmp_path / "output"
    path.write_bytes(b"earlier")
    program = (
        "import sys; from pathlib import Path\n"
        "from spoken_digits import errors; from spoken_digits.io import files\n"
        "errors.run(lambda: files.write_bytes(Path(sys.argv[1]), b'x' * 10**6))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        # The kernel refuses to write more, as it would on a full disk.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: no room left to write")
    assert result.stderr.count("\n") == 1
    assert path.read_bytes() == b"earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["output"]


def test_a_defect_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.run(lambda: 1 / 0)
