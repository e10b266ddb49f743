"""Counting of the mutation score."""

from __future__ import annotations

import json

import mutation
import pytest

LISTING = """    a.b.x_f__mutmut_1: killed
    a.b.x_f__mutmut_2: survived
    a.b.x_f__mutmut_3: timeout
    a.b.x_f__mutmut_4: survived
    a.c.xǁKindǁmethod__mutmut_10: no tests
    a.c.xǁKindǁmethod__mutmut_11: not checked
    a.c.xǁKindǁmethod__mutmut_12: killed
"""

DIFF = """# a.b.x_f__mutmut_2: survived
--- a/b.py
+++ a/b.py
@@ -1,3 +1,3 @@
 def f(x):
-    return x < 8
+    return x <= 8
"""


def test_statuses_and_changes_are_read_from_what_mutmut_prints():
    statuses = mutation.read_statuses(LISTING)
    assert len(statuses) == 7
    assert statuses["a.b.x_f__mutmut_3"] == "timeout"
    assert statuses["a.c.xǁKindǁmethod__mutmut_10"] == "no tests"
    assert mutation.change_of(DIFF) == {"before": "return x < 8", "after": "return x <= 8"}
    assert mutation.module_of("a.c.xǁKindǁmethod__mutmut_10") == "a/c.py"


def test_only_mutants_that_ran_count_and_equivalent_ones_do_not():
    survivors = [
        {"mutant": "a.b.x_f__mutmut_2", "before": "x < 8", "after": "x <= 8"},
        {"mutant": "a.b.x_f__mutmut_4", "before": "y = 0", "after": "y = 1"},
        {"mutant": "a.c.xǁKindǁmethod__mutmut_10", "before": "x < 8", "after": "x <= 8"},
    ]
    equivalent = [{"module": "a/b.py", "before": "x < 8", "after": "x <= 8", "reason": "never 8"}]
    summary = mutation.summarise(mutation.read_statuses(LISTING), survivors, equivalent)
    assert summary["modules"]["a/b.py"] == {
        "score": 0.6667,
        "killed": 2,
        "total": 3,
        "timeouts": 1,
        "equivalent": 1,
        "not_run": 0,
    }
    assert summary["modules"]["a/c.py"]["score"] == 0.5
    assert summary["modules"]["a/c.py"]["not_run"] == 1
    assert (summary["killed"], summary["total"], summary["score"]) == (3, 5, 0.6)
    assert [one["mutant"] for one in summary["survivors"]] == [
        "a.b.x_f__mutmut_4",
        "a.c.xǁKindǁmethod__mutmut_10",
    ]
    assert "60.0%" in mutation.table(summary)


def test_modules_and_tests_of_the_run_are_there(repository):
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11
    settings = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["mutmut"]
    named = settings["only_mutate"] + settings["pytest_add_cli_args_test_selection"]
    assert [name for name in named if not (repository / name).is_file()] == []


def test_every_equal_mutant_has_its_reason():
    rows = json.loads(mutation.EQUIVALENT.read_text())
    for row in rows:
        assert set(row) == {"module", "before", "after", "reason"}
        assert row["reason"]
        source = " ".join((mutation.REPOSITORY / row["module"]).read_text().split())
        assert " ".join(row["before"].split()) in source


@pytest.mark.parametrize("arguments", [["--report"], ["--resume"], ["*budget*"], []])
def test_only_a_run_of_all_mutants_deletes_earlier_results(arguments, tmp_path, monkeypatch):
    results = tmp_path / "mutants" / "results"
    results.parent.mkdir()
    results.write_text("")
    listing = "    a.b.x_f__mutmut_1: killed\n    a.b.x_f__mutmut_2: not checked\n"
    ran = []
    monkeypatch.setattr(mutation, "MUTANTS", results.parent)
    monkeypatch.setattr(mutation, "RESULTS", tmp_path / "mutation.json")
    monkeypatch.setattr(mutation, "run_mutmut", ran.append)
    monkeypatch.setattr(mutation, "mutmut", lambda *_: listing)
    monkeypatch.setattr("sys.argv", ["mutation.py", *arguments])
    assert mutation.main() == 0
    assert results.exists() == bool(arguments)
    assert len(ran) == (arguments != ["--report"])
    record = json.loads((tmp_path / "mutation.json").read_text())
    assert (record["killed"], record["total"], record["not_run"]) == (1, 1, 1)
