from __future__ import annotations

import shutil

import pytest
from compiled_once import FIRMWARE, with_objects

SOURCES = [str(FIRMWARE / name) for name in ("sd_sum.c", "sd_mean.c")]
PROGRAM = str(FIRMWARE / "boards" / "graph_board.c")

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")


def test_files_of_the_library_are_compiled_once_with_the_same_flags(tmp_path):
    command = ("gcc", "-O2", "-shared", "-I/one", *SOURCES, PROGRAM, "-o", "made.so")
    linked = with_objects(command, tmp_path)
    objects = linked[4:6]
    assert [word for word in linked if word not in objects] == [
        word for word in command if word not in SOURCES
    ]
    written = [(tmp_path / name).stat().st_mtime_ns for name in objects]
    elsewhere = tuple(word.replace("/one", "/two") for word in command)
    assert with_objects(elsewhere, tmp_path)[4:6] == objects
    assert [(tmp_path / name).stat().st_mtime_ns for name in objects] == written
    others = with_objects(("gcc", "-O3", *command[2:]), tmp_path)[4:6]
    assert not set(others) & set(objects)


def test_what_cannot_be_compiled_alone_stays_a_source(tmp_path):
    refused = ("gcc", "-include", "missing.h", "-shared", *SOURCES, "-o", "made.so")
    assert with_objects(refused, tmp_path) == list(refused)


def test_one_source_and_objects_are_left_alone(tmp_path):
    for command in (("gcc", SOURCES[0], "-o", "a"), ("gcc", "-c", *SOURCES)):
        assert with_objects(command, tmp_path) == list(command)
