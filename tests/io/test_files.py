from __future__ import annotations

import resource
import subprocess
import sys

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


def test_a_full_disk_is_one_line_and_keeps_what_was_there(tmp_path):
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
