"""Exit of a program: one line for the user, the right status for the shell and for DVC."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = (
    "from pathlib import Path; from spoken_digits import errors; from spoken_digits.io import files"
)


def run(folder: Path, *body: str, **options) -> subprocess.CompletedProcess:
    """A program whose main function has these lines."""
    code = "\n".join([START, "def main():", *(f"    {line}" for line in body), "errors.run(main)"])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.fixture
def broken_pipe():
    """The write end of a pipe without a reader."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def test_a_reader_that_is_gone_ends_the_program_by_sigpipe_with_its_results_whole(
    tmp_path, broken_pipe
):
    body = ("files.write_bytes(Path('result'), b'whole')", "print('done')")
    result = run(tmp_path, *body, stdout=broken_pipe)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, "")
    assert (tmp_path / "result").read_bytes() == b"whole"


def test_a_reader_that_leaves_early_leaves_no_half_made_file(tmp_path, broken_pipe):
    body = (
        "with files.replacing(Path('result')) as temporary:",
        "    temporary.write_bytes(b'half')",
        "    print('working', flush=True)",
    )
    result = run(tmp_path, *body, stdout=broken_pipe)
    assert (result.returncode, result.stderr) == (-signal.SIGPIPE, "")
    assert list(tmp_path.iterdir()) == []


def test_head_gets_the_start_of_a_long_output(tmp_path):
    code = f"{START}\ndef main():\n    for i in range(10**6):\n        print(i)\nerrors.run(main)"
    script = 'set -o pipefail; "$0" -c "$1" | head -1; echo "${PIPESTATUS[0]}"'
    result = subprocess.run(
        ["bash", "-c", script, sys.executable, code], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.stdout.split() == ["0", str(128 + signal.SIGPIPE)]
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("raise errors.UserError('a\\nb')", 1, "error: a b\n"),
        ("open('nowhere')", 1, "error: cannot use nowhere: No such file or directory\n"),
        ("raise KeyboardInterrupt", 1, "interrupted: run again to resume\n"),
        ("errors.warn('odd')", 0, "note: odd\n"),
        ("print('fine')", 0, ""),
    ],
)
def test_ends_in_one_line(tmp_path, line, status, message):
    result = run(tmp_path, line, stdout=subprocess.DEVNULL)
    assert (result.returncode, result.stderr) == (status, message)


def test_a_defect_of_ours_keeps_its_traceback(tmp_path):
    assert "ZeroDivisionError" in run(tmp_path, "1 / 0").stderr
