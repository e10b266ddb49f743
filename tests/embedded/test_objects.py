"""C files that programs share are compiled once, and only those."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from recordings import REPOSITORY

from spoken_digits.embedded import objects
from spoken_digits.embedded.objects import compiled

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")

FLAGS = ["-O2", "-I/one", "-shared"]


@pytest.fixture
def library(tmp_path):
    """`sum.c`, which includes what lies beside it, and `main.c`, which wants what is generated."""
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "sum.h").write_text('#include "size.h"\nint sum(int a);\n')
    (folder / "size.h").write_text("#define SIZE 3\n")
    (folder / "sum.c").write_text('#include "sum.h"\nint sum(int a) { return a + SIZE; }\n')
    (folder / "main.c").write_text('#include "sum.h"\n#include "generated.h"\n')
    return folder


def test_an_object_is_made_once_for_the_same_code_and_flags(library):
    sources = [library / "sum.c", library / "main.c"]
    made, left = compiled("gcc", FLAGS, sources)
    assert (made.name, left) == ("sum.o", library / "main.c")
    written = made.stat().st_mtime_ns
    elsewhere = ["-O2", "-I/two", "-Wl,--gc-sections", "-static"]
    assert compiled("gcc", elsewhere, sources) == [made, left]
    assert made.stat().st_mtime_ns == written
    assert compiled("gcc", ["-O1"], sources)[0] != made
    (library / "size.h").write_text("#define SIZE 4\n")
    assert compiled("gcc", FLAGS, sources)[0] != made


def test_objects_work_in_a_program(library, tmp_path):
    (tmp_path / "generated.h").write_text("")
    (library / "main.c").write_text(
        '#include "sum.h"\n#include "generated.h"\nint main(void) { return sum(4); }\n'
    )
    paths = compiled("gcc", FLAGS, [library / "sum.c", library / "main.c"])
    assert [path.suffix for path in paths] == [".o", ".c"]
    program = tmp_path / "program"
    subprocess.run(["gcc", f"-I{tmp_path}", *paths, "-o", program], check=True)
    assert subprocess.run([program], check=False).returncode == 7
    assert compiled("gcc", FLAGS, paths) == paths


def test_what_does_not_compile_stays_a_source(library):
    source = library / "sum.c"
    assert compiled("gcc", ["-include", "missing.h"], [source]) == [source]
    assert compiled("no-such-compiler", FLAGS, [source]) == [source]
    source.write_text('#include "sum.h"\nint sum(int a) { return b; }\n')
    assert compiled("gcc", FLAGS, [source]) == [source]


def test_objects_of_a_process_end_with_it(library, monkeypatch):
    monkeypatch.delenv(objects.FOLDER)
    program = (
        "import pathlib, sys; from spoken_digits.embedded import objects;"
        "made, = objects.compiled('gcc', ['-O2'], [pathlib.Path(sys.argv[1])]);"
        "assert made.exists(); print(made)"
    )
    command = [sys.executable, "-c", program, str(library / "sum.c")]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    made = Path(said.stdout.strip())
    assert made.name == "sum.o"
    assert not made.parent.parent.exists()
