"""`dvc repro`, several stages at a time: most of them compute with one thread.

DVC itself runs one stage after the other. Here `dvc repro --single-item` runs each stage as soon as
what it depends on is finished, and `dvc repro` has the last word: it finds whatever was left.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from pathlib import Path

from spoken_digits.cli import places
from spoken_digits.io import stage_sources

MOST = 4
"""Stages at a time unless told otherwise: the largest networks take 3 GB each to train."""

PIPELINE = "dvc.yaml"
SOURCES = "sources"
"""The stage that writes the digests of the code."""

_NODE = re.compile(r'"(?P<stage>[^"]+)"(?: -> "(?P<dependent>[^"]+)")?;')
_RUN = re.compile(
    r"^Running stage '[^']+':\n(?P<said>.*?)(?:^(?:Updating|Generating) lock file|\Z)",
    re.MULTILINE | re.DOTALL,
)

Result = tuple[float, int, str]
"""Seconds that a stage took, exit status of DVC, and all that both said."""

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
    if SOURCES in graph:  # what an edit concerns is known once its digests are there
        stage_sources.write(Path.cwd())
    changed = read_status(_dvc("status", "--json", *dict.fromkeys([PIPELINE, pipeline])))
    return pending(graph, changed, targets or stages_of(graph, pipeline))


def read_graph(dot: str) -> Graph:
    """The pipeline from the output of `dvc dag --dot`."""
    graph: Graph = {}
    for found in _NODE.finditer(dot):
        graph.setdefault(found["stage"], set())
        if found["dependent"]:
            graph.setdefault(found["dependent"], set()).add(found["stage"])
    return graph


def read_status(printed: str) -> Collection[str]:
    """The stages that are not as recorded, from the output of `dvc status --json`."""
    changed: dict[str, object] = json.loads(printed.splitlines()[-1])  # before it: notes on hashing
    return changed


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
        before = graph[stage] - {SOURCES}  # which `todo` has brought up to date
        if stage in wanted and (stage in changed or not before.isdisjoint(found)):
            found[stage] = graph[stage] & found.keys()
    return found


class _Processes:
    """The stages that run, each in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = set[subprocess.Popen[str]]()
        self._terminated = False

    def run_stage(self, stage: str) -> Result:
        """Run one stage to its end."""
        start = time.monotonic()
        command = ("--wait-for-lock", "repro", "--single-item", stage)
        with self._lock:
            if self._terminated:
                return 0.0, 1, "not begun"
            # A session of its own: DVC and the stage that it runs are terminated together.
            process = _open(*command, stderr=subprocess.STDOUT, start_new_session=True)
            self._running.add(process)
        said = list[str]()
        with process:
            for line in process.stdout or ():
                if line.startswith("Running stage"):  # not said of a stage that is up to date
                    print(f"{stage} is running", flush=True)
                said.append(line)
        with self._lock:
            self._running.remove(process)
        return time.monotonic() - start, process.returncode, "".join(said)

    def terminate(self) -> None:
        """Terminate all stages, and begin no other one."""
        with self._lock:
            self._terminated = True
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.killpg(process.pid, signal.SIGTERM)


def _run(graph: Graph, jobs: int) -> None:
    """Run every stage of a graph; raises SystemExit at the end if one failed.

    If interrupted or terminated, no further stage begins and those that run are terminated.
    """
    processes = _Processes()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            _run_in(pool, graph, processes)
        except BaseException:  # KeyboardInterrupt, or SystemExit of SIGTERM
            pool.shutdown(wait=False, cancel_futures=True)
            processes.terminate()
            raise


def _run_in(pool: ThreadPoolExecutor, graph: Graph, processes: _Processes) -> None:
    order = TopologicalSorter(graph)
    order.prepare()
    running, n_done, failed = dict[Future[Result], str](), 0, list[str]()
    while order.is_active():
        for stage in order.get_ready():
            running[pool.submit(processes.run_stage, stage)] = stage
        if not running:
            break  # the rest depends on what failed
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            stage, n_done = running.pop(future), n_done + 1
            seconds, status, said = future.result()
            if status:
                failed.append(stage)
                print(f"{stage} failed\n{said.strip()}", file=sys.stderr, flush=True)
                continue
            if ran := _RUN.search(said):
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


def _dvc(*arguments: str) -> str:
    """What DVC prints; exits with its status, after all that it said, if it fails."""
    with _open(*arguments, stderr=subprocess.PIPE) as process:
        printed, said = process.communicate()
    if process.returncode:
        print(printed, said, sep="", end="", file=sys.stderr)
        sys.exit(places.status_of(process.returncode))
    return printed


def _open(*arguments: str, stderr: int, start_new_session: bool = False) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", *arguments],
        # Unbuffered: what DVC says stands where it belongs among what the stage says.
        env={**places.environment(), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=start_new_session,
        text=True,
    )
