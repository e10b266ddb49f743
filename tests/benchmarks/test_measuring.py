"""Measurements of a command's time and memory."""

from __future__ import annotations

import os
import platform
import sys

import pytest
from measuring import machine, measure, row


def test_memory_of_children_counts(tmp_path):
    child = "import time; held = bytearray(80 * 2**20); time.sleep(0.5)"
    two = (
        "import subprocess, sys\n"
        f"child = [sys.executable, '-c', {child!r}]\n"
        "for process in [subprocess.Popen(child) for _ in range(2)]: process.wait()\n"
        "print('done')"
    )
    taken = measure([sys.executable, "-c", two], tmp_path)
    assert taken.output == "done\n"
    assert taken.seconds > 0.5
    assert 160 < taken.peak_rss_mib < 320


def test_a_failed_command_is_not_measured(tmp_path):
    with pytest.raises(RuntimeError, match="out of luck"):
        measure([sys.executable, "-c", "raise SystemExit('out of luck')"], tmp_path)


def test_a_row_without_reference_has_no_ratio():
    assert row("x", 0.0123456, None, "how") == {
        "name": "x",
        "ours_s": 0.012346,
        "reference_s": None,
        "ratio": None,
        "note": "how",
    }
    assert row("x", 2.0, 5.0, "how", peak_rss_mib=7)["ratio"] == 2.5


def test_the_machine_is_named_in_general_terms():
    told = machine()
    assert told.startswith(f"{os.cpu_count()} cores, {platform.machine()}")
    assert f"Python {platform.python_version()}" in told
