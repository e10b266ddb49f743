"""`dvc repro`, several stages at a time: most of them compute with one thread.

DVC itself runs one stage after the other. Here `dvc repro --single-item` runs each stage as soon as
what it depends on is finished, and `dvc repro` has the last word: it finds whatever was left.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from spoken_digits.cli import places

MOST = 4
"""Stages at a time unless told otherwise: the largest networks take 3 GB each to train."""

PIPELINE = "dvc.yaml"

_NODE = re.compile(r'"(?P<stage>[^"]+)"(?: -> "(?P<dependent>[^"]+)")?;')
_RUN = re.compile(
    r"^Running stage '[^']+':\n(?P<said>.*?)(?:^(?:Updating|Generating) lock file|\Z)",
    re.MULTILINE | re.DOTALL,
)

Result = tuple[float, subprocess.CompletedProcess[str]]

Graph = dict[str, set[str]]
"""Stage -> the stages whose outputs it reads."""


def at_a_time() -> int:
    """How many stages this machine runs at a time: one a core, `MOST` at most."""
    return min(os.cpu_count() or 1, MOST)


def repro(targets: Sequence[str], jobs: int, *, pipeline: str = PIPELINE) -> None:
    """Bring stages up to date, and all that they depend on.

    Parameters
    ----------
    targets
        Names of stages; none for the whole pipeline.
    jobs
        How many run at a time.
    pipeline
        The file that describes the whole pipeline.

    Raises
    ------
    SystemExit
        A stage failed, and has said why. Only those that depend on it were not run.
    """
    if jobs > 1:
        _run(todo(targets, pipeline=pipeline), jobs)
    places.dvc("repro", *(targets or [pipeline] * (pipeline != PIPELINE)))


def todo(targets: Sequence[str], *, pipeline: str = PIPELINE) -> Graph:
    """The stages that `repro` may have to run, in an order in which they can.

    DVC's own `repro --dry` gives up at a stage that reads what an earlier one has yet to make, as
    in a fresh clone.
    """
    graph = read_graph(_dvc("dag", "--dot"))
    changed = json.loads(_dvc("status", "--json", *dict.fromkeys([PIPELINE, pipeline])))
    return pending(graph, changed, targets or stages_of(graph, pipeline))


def read_graph(dot: str) -> Graph:
    """The pipeline from the output of `dvc dag --dot`."""
    graph: Graph = {}
    for found in _NODE.finditer(dot):
        graph.setdefault(found["stage"], set())
        if found["dependent"]:
            graph.setdefault(found["dependent"], set()).add(found["stage"])
    return graph


def stages_of(graph: Graph, pipeline: str) -> list[str]:
    """The stages that a file describes: DVC puts its name before theirs, but in the top folder."""
    file = "" if pipeline == PIPELINE else pipeline
    return [stage for stage in graph if stage.rpartition(":")[0] == file]


def pending(graph: Graph, changed: Collection[str], targets: Sequence[str]) -> Graph:
    """The part of the pipeline that may have to run.

    Parameters
    ----------
    graph
        The pipeline.
    changed
        Stages that are not as recorded, from `dvc status --json`.
    targets
        Stages that are wanted with all that they depend on.
    """
    wanted, todo = set[str](), list(targets)
    while todo:
        stage = todo.pop()
        if stage not in wanted:
            wanted.add(stage)
            todo += graph.get(stage, ())
    found: Graph = {}
    for stage in TopologicalSorter(graph).static_order():
        if stage in wanted and (stage in changed or not graph[stage].isdisjoint(found)):
            found[stage] = graph[stage] & found.keys()
    return found


def _run(graph: Graph, jobs: int) -> None:
    """Run every stage of a graph; raises SystemExit at the end if one failed."""
    order = TopologicalSorter(graph)
    order.prepare()
    running, n_done, failed = dict[Future[Result], str](), 0, list[str]()
    with ThreadPoolExecutor(jobs) as pool:
        while order.is_active():
            for stage in order.get_ready():
                running[pool.submit(_run_stage, stage)] = stage
            if not running:
                break  # the rest depends on what failed
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stage, n_done = running.pop(future), n_done + 1
                seconds, result = future.result()
                ran = _RUN.search(result.stdout)
                if result.returncode:
                    failed.append(stage)
                    print(f"{stage} failed\n{result.stdout.strip()}", file=sys.stderr, flush=True)
                    continue
                if ran:
                    head = f"[{n_done} of {len(graph)}] {stage}: {seconds:.0f} s"
                    print(head, ran["said"].strip(), sep="\n", flush=True)
                order.done(stage)
    if failed:
        left = len(graph) - n_done
        print(
            f"failed: {' '.join(failed)}; {left} stage(s) that depend on that were not run",
            file=sys.stderr,
        )
        sys.exit(1)


def _run_stage(stage: str) -> Result:
    """Seconds that a stage took, and what DVC says of it."""
    start = time.monotonic()
    result = _call("--wait-for-lock", "repro", "--single-item", stage)
    return time.monotonic() - start, result


def _dvc(*arguments: str) -> str:
    """What DVC prints; exits with its status, after all that it said, if it fails."""
    result = _call(*arguments)
    if result.returncode:
        print(result.stdout, end="", file=sys.stderr)
        sys.exit(places.status_of(result.returncode))
    return result.stdout


def _call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        check=False,
        # Unbuffered: what DVC says stands where it belongs among what the stage says.
        env={**places.environment(), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
