from __future__ import annotations

import time

import numpy as np
import pytest

from spoken_digits.io import sources


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A little package in place of ours."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "PACKAGE", "little")
    texts = {
        "__init__.py": "",
        "a.py": "import json\nimport numpy as np\nfrom little.room import b, CONSTANT\n",
        "room/__init__.py": "CONSTANT = 1\n",
        "room/b.py": "from . import c\nfrom ..d import name\n",
        "room/c.py": "def f():\n    import little.late\n",
        "d.py": "from typing import TYPE_CHECKING\nimport little.a\n",  # a circle
        "late.py": "",
        "apart.py": "import little.a\n",
    }
    for name, text in texts.items():
        (tmp_path / "little" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "little" / name).write_text(text)
    return tmp_path / "little"


def test_everything_that_a_module_imports_is_followed(package):
    assert list(sources.sources_of(["little.a"])) == [
        "little",
        "little.a",
        "little.d",
        "little.late",
        "little.room",
        "little.room.b",
        "little.room.c",
    ]


@pytest.mark.parametrize("name", ["a", "d", "late", "room/__init__", "room/b", "room/c"])
def test_an_edit_of_any_of_them_changes_the_digest(package, name):
    before = sources.digest_of(["little.a"])
    with (package / f"{name}.py").open("a") as file:
        file.write("VALUE = 2\n")
    assert sources.digest_of(["little.a"]) != before


def test_an_edit_of_another_module_does_not(package):
    before = sources.digest_of(["little.a"])
    (package / "apart.py").write_text("import little.a\nVALUE = 2\n")
    assert sources.digest_of(["little.a"]) == before


def test_versions_of_imported_and_of_named_libraries_count(package, monkeypatch):
    imported = sources.digest_of(["little.a"])
    named = sources.digest_of(["little.a"], libraries=["scipy"])
    assert named != imported
    version = sources.metadata.version
    other = {"numpy": "0.0"}
    monkeypatch.setattr(sources.metadata, "version", lambda name: other.get(name) or version(name))
    assert sources.digest_of(["little.a"]) != imported
    other = {"scipy": "0.0"}
    assert sources.digest_of(["little.a"]) == imported
    assert sources.digest_of(["little.a"], libraries=["scipy"]) != named


def test_a_library_goes_by_its_module_or_its_distribution():
    assert sources._version("numpy") == np.__version__
    assert sources._version("yaml") == sources.metadata.version("PyYAML")
    assert sources._version("sklearn") == sources.metadata.version("scikit-learn")
    assert sources._version("dateutil").startswith("python-dateutil ")
    assert sources._version("no_such_library") == "not installed"


@pytest.mark.parametrize("name", ["spoken_digits.nothing", "json", "spoken_digits.features.mfcc.x"])
def test_a_module_that_is_not_ours_is_refused(name):
    with pytest.raises(ValueError, match="is not a module of spoken_digits"):
        sources.digest_of([name])


def test_real_modules_take_little_time():
    start = time.process_time()
    found = sources.sources_of(["spoken_digits.training.loop"])
    assert time.process_time() - start < 2
    assert {"spoken_digits.training.loop", "spoken_digits.io.files"} <= set(found)
    assert "spoken_digits.predict" not in found


SOURCE = '''#!/usr/bin/env python
"""What it is."""

import os  # for a reason


class A:
    """A class,

    in two paragraphs.
    """

    size: int = 1
    """In bytes."""

    def f(self, ä: str = "#") -> str:
        "In one line."
        # why
        text = """ # no comment

"""
        return f"# {ä!r} {text}" + "ü"  # täglich
'''
RUNS = '''import os
class A:
    size: int = 1
    def f(self, ä: str = "#") -> str:
        text = """ # no comment

"""
        return f"# {ä!r} {text}" + "ü"
'''


def test_comments_docstrings_and_blank_lines_do_not_run():
    assert sources.what_runs(SOURCE) == RUNS
    assert sources.what_runs(RUNS) == RUNS


def test_what_is_not_text_for_people_runs():
    text = 'x = """\n\n# kept\n"""\nf("said")\n'
    assert sources.what_runs(text) == text
    assert sources.what_runs("y = (\n    1,  # one\n\n    2,\n)\n") == "y = (\n    1,\n    2,\n)\n"
    assert sources.what_runs('def f(): """It."""; return 1\n') == "def f():; return 1\n"


def test_imports_for_type_checkers_are_not_followed(package):
    (package / "d.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import little.apart\n"
        "else:\n    import little.late\n"
    )
    assert list(sources.sources_of(["little.d"])) == ["little", "little.d", "little.late"]


@pytest.mark.parametrize("text", ["# a comment\n", '"""A docstring of no one."""\n', "\n\n"])
def test_an_edit_that_runs_nothing_changes_no_digest(package, text):
    before = sources.digest_of(["little.a"])
    with (package / "room" / "c.py").open("a") as file:
        file.write(text)
    assert sources.digest_of(["little.a"]) == before
