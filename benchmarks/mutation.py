"""Count the small faults in the numeric core that the tests notice: `make mutation`.

Runs mutmut (https://github.com/boxed/mutmut) as `[tool.mutmut]` in pyproject.toml says: which
modules it mutates and which test files must notice. A mutant is one change, such as `<` to `<=`
or 8 to 9, inside a function; module constants and decorators are left alone, and so are the
words of error messages.

Writes benchmarks/mutation.json: killed and total for each module, and every survivor as a change
of lines. Equivalent mutants, which no test can kill, are listed by hand with the reason in
benchmarks/mutation_equivalent.json and do not count.

Run     python benchmarks/mutation.py                     all; about 15 minutes on one core
        python benchmarks/mutation.py --resume            the rest, after an interruption
        python benchmarks/mutation.py '*budget*' '*_7'    those again; other results are kept
        python benchmarks/mutation.py --report            nothing; write what is there
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent
REPOSITORY = BENCHMARKS.parent
RESULTS = BENCHMARKS / "mutation.json"
EQUIVALENT = BENCHMARKS / "mutation_equivalent.json"
MUTANTS = REPOSITORY / "mutants"  # mutmut's working folder
TARGET = 0.9

KILLED = {"killed", "timeout", "segfault"}
"""A mutant that loops forever or crashes counts as noticed."""


def main() -> int:
    arguments = parse_arguments()
    start = time.monotonic()
    if not (arguments.resume or arguments.names or arguments.report):
        shutil.rmtree(MUTANTS, ignore_errors=True)
    if not arguments.report:
        run_mutmut(arguments.names)
    statuses = read_statuses(mutmut("results", "--all", "True"))
    survivors = [
        {"mutant": name, **change_of(mutmut("show", name))}
        for name, status in statuses.items()
        if status in ("survived", "no tests")
    ]
    summary = summarise(statuses, survivors, json.loads(EQUIVALENT.read_text()))
    record = {
        "tool": f"mutmut {importlib.metadata.version('mutmut')}",
        "seconds": round(time.monotonic() - start),
        **summary,
    }
    RESULTS.write_text(json.dumps(record, indent=2) + "\n")
    print(table(record))
    return 0 if record["score"] >= TARGET else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="mutation test of the numeric core")
    parser.add_argument("names", nargs="*", help="mutants to run, with wildcards; default: all")
    parser.add_argument("--resume", action="store_true", help="keep existing results")
    parser.add_argument(
        "--report", action="store_true", help="run nothing; report existing results"
    )
    return parser.parse_args()


def run_mutmut(names: list[str]) -> None:
    """Run the mutants one after another; fails if the tests fail without a mutant."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names]
    result = subprocess.run(command, cwd=REPOSITORY, env=environment())
    if result.returncode:
        raise SystemExit("mutmut could not run: see the lines above")


def mutmut(*arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    result = subprocess.run(
        command, cwd=REPOSITORY, env=environment(), capture_output=True, text=True, check=True
    )
    return result.stdout


def environment() -> dict[str, str]:
    """One thread, to leave the other cores free."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def read_statuses(listing: str) -> dict[str, str]:
    """Status of each mutant from the lines of `mutmut results`."""
    found = re.findall(r"^\s+(\S+__mutmut_\d+): (.+)$", listing, flags=re.MULTILINE)
    return dict(found)


def module_of(mutant: str) -> str:
    """``a.b.x_function__mutmut_3`` or ``a.b.xǁClassǁmethod__mutmut_3`` -> ``a/b.py``."""
    return mutant.rpartition(".")[0].replace(".", "/") + ".py"


def change_of(diff: str) -> dict[str, str]:
    """The lines that a mutant removes and adds, from `mutmut show`."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return {
        "before": " ".join(line[1:].strip() for line in lines if line.startswith("-")),
        "after": " ".join(line[1:].strip() for line in lines if line.startswith("+")),
    }


def summarise(
    statuses: dict[str, str], survivors: list[dict[str, str]], equivalent: list[dict[str, str]]
) -> dict[str, Any]:
    """Score in total and per module, and the survivors that count.

    Parameters
    ----------
    statuses
        By mutant, as mutmut calls them.
    survivors
        ``mutant, before, after`` of each that no test noticed.
    equivalent
        ``module, before, after, reason`` of those that compute the same.
    """
    known = {(row["module"], row["before"], row["after"]) for row in equivalent}
    same = {
        one["mutant"]
        for one in survivors
        if (module_of(one["mutant"]), one["before"], one["after"]) in known
    }
    modules: dict[str, Counter[str]] = {}
    for mutant, status in statuses.items():
        counts = modules.setdefault(module_of(mutant), Counter())
        if status == "not checked":
            counts["not_run"] += 1
        elif mutant in same:
            counts["equivalent"] += 1
        else:
            counts["total"] += 1
            counts["killed"] += status in KILLED
            counts["timeouts"] += status == "timeout"  # part of the killed
    rows = {module: row_of(counts) for module, counts in sorted(modules.items())}
    return {
        **row_of(sum(modules.values(), Counter())),
        "modules": rows,
        "survivors": [one for one in survivors if one["mutant"] not in same],
    }


def row_of(counts: Counter[str]) -> dict[str, Any]:
    """Counts to record, with the share killed of those run."""
    killed, total = counts["killed"], counts["total"]
    return {
        "score": round(killed / total, 4) if total else 0.0,
        "killed": killed,
        "total": total,
        "timeouts": counts["timeouts"],
        "equivalent": counts["equivalent"],
        "not_run": counts["not_run"],
    }


def table(record: dict[str, Any]) -> str:
    """The record as a readable table."""
    lines = [f"{'module':<40}{'killed':>8}{'of':>6}{'score':>8}{'equal':>7}{'not run':>9}"]
    for name, row in [*record["modules"].items(), ("all", record)]:
        lines.append(
            f"{name:<40}{row['killed']:>8}{row['total']:>6}{row['score']:>8.1%}"
            f"{row['equivalent']:>7}{row['not_run']:>9}"
        )
    for one in record["survivors"]:
        lines += ["", one["mutant"], f"  - {one['before']}", f"  + {one['after']}"]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
