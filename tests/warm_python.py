"""`python` and `dvc` that start at once: a run is a fork of a process that has the libraries.

On a tiny corpus a stage takes seconds to import PyTorch, SciPy and Matplotlib, and a moment to
work. Here a server imports them once, and nothing of this package. Its launchers pass on their
arguments, working folder, environment and standard streams, and end as the fork does that ran the
script. What differs from a process of its own: libraries are there already, limits of the caller do
not hold, DVC reads and writes its lock in C, and all runs hash strings alike, so that tests of
equal bytes start afresh instead.

Run     python tests/warm_python.py FOLDER      until standard input is closed
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NoReturn

import yaml

LIBRARIES = (
    "dvc.cli.parser",
    "dvc.dvcfile",
    "dvc.render.convert",
    "dvc.repo.experiments.executor.local",
    "dvc.repo.experiments.queue.celery",
    "dvc.repo.plots",
    "dvc.utils.strictyaml",
    "joblib",
    "librosa.core.spectrum",
    "librosa.display",
    "librosa.util.utils",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "networkx",
    "pandas",
    "scipy.optimize",
    "scipy.signal",
    "scipy.sparse",
    "scipy.stats",
    "sklearn.metrics",
    "sklearn.model_selection",
    "soundfile",
    "torch._dynamo",
    "tqdm",
)
YAML = ("SafeLoader", "SafeDumper")
ADDRESS = "address"
NOTE_MODULES = "WARM_PYTHON_NOTE_MODULES"
"""Environment: a folder in which each script notes the files of this package that it loaded."""
LAUNCHER = """#!/bin/sh
exec '{python}' -IS '{client}' '{python}' {first}"$@"
"""
CLIENT = """
import json, os, pathlib, signal, socket, sys

_, python, *arguments = sys.argv
if arguments[:1] != ["-m"] and arguments[0].startswith("-"):
    os.execv(python, [python, *arguments])
with socket.socket(socket.AF_UNIX) as server:
    server.connect(str(pathlib.Path(__file__).with_name("address")))
    socket.send_fds(server, [b"."], [0, 1, 2])
    run = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    server.sendall(json.dumps(run).encode())
    server.shutdown(socket.SHUT_WR)
    status = int(server.recv(16) or 1)
if status < 0:
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@cache
def launchers() -> Path:
    """The folder of `python` and `dvc`; their server ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
    server = subprocess.Popen(
        [sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    atexit.register(server.communicate)  # closes its input
    return folder


def python() -> str:
    """The program to run in place of Python's."""
    return str(launchers() / "python")


def write_launchers(folder: Path) -> None:
    client = folder / "client.py"
    client.write_text(CLIENT)
    dvc = Path(sys.executable).with_name("dvc")
    for name, first in (("python", ""), ("dvc", f"'{dvc}' ")):
        launcher = folder / name
        launcher.write_text(LAUNCHER.format(python=sys.executable, client=client, first=first))
        launcher.chmod(0o755)


def serve(folder: Path) -> None:
    """Fork for every launcher that calls, until standard input is closed."""
    for library in LIBRARIES:
        importlib.import_module(library)
    keep_locks_in_c()
    gc.freeze()  # collecting what is shared would copy it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ADDRESS))
        listener.listen()
        write_launchers(folder)
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                attend(caller)
                return
            caller.close()
    shutil.rmtree(folder)


def keep_locks_in_c() -> None:
    """Spare DVC its YAML in Python, which takes longer than everything else that a stage does."""
    dvcfile = sys.modules["dvc.dvcfile"]
    of_dvc = dvcfile.modify_yaml
    loader, dumper = (getattr(yaml, f"C{name}", getattr(yaml, name)) for name in YAML)

    @contextlib.contextmanager
    def modify_yaml(path: str, fs: object = None) -> Iterator[dict]:
        if not path.endswith(".lock"):
            with of_dvc(path, fs=fs) as data:
                yield data
            return
        lock = Path(path)
        data = yaml.load(lock.read_text(encoding="utf-8"), loader) if lock.exists() else {}
        yield data
        plain = json.loads(json.dumps(data))  # no dictionaries of other classes
        lock.write_text(yaml.dump(plain, Dumper=dumper, sort_keys=False), encoding="utf-8")

    dvcfile.modify_yaml = modify_yaml


def attend(caller: socket.socket) -> None:
    """Run what one launcher asks for in a fork; tell it the exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(caller, 1, 3)
    asked = b""
    while part := caller.recv(1 << 16):
        asked += part
    runner = os.fork()
    if runner == 0:
        caller.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        end(lambda: run(**json.loads(asked)))
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(runner, 0)
    caller.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def end(work: Callable[[], None]) -> NoReturn:
    """Do the work and end as Python ends.

    But for freeing all objects one by one: that would copy the memory that forks share.
    """
    status: object = 0
    try:
        work()
    except SystemExit as exit_:
        status = exit_.code
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    if not isinstance(status, int | None):
        print(status, file=sys.stderr)
        status = 1
    threading._shutdown()  # waits for threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed
            stream.flush()
    os._exit(status or 0)


def run(arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be the process that `python *arguments` would be."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.modules["numpy"].random.seed()  # or what is drawn without a seed would repeat itself
    first, *rest = arguments
    path = [place for place in environment.get("PYTHONPATH", "").split(os.pathsep) if place]
    if first == "-m":
        sys.argv = rest
        sys.path[:1] = [folder, *path]
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[:1] = [str(Path(first).resolve().parent), *path]
        try:
            runpy.run_path(first, run_name="__main__")
        finally:
            if folder_of_notes := environment.get(NOTE_MODULES):
                note_modules(Path(folder_of_notes), arguments)


def note_modules(folder: Path, arguments: list[str]) -> None:
    """Write what a script was called with and which files of this package it has loaded."""
    top = Path(__file__).resolve().parent.parent
    paths = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
    files = {Path(path) for path in paths if path}
    ours = sorted(str(f.relative_to(top)) for f in files if f.is_relative_to(top / "spoken_digits"))
    note = {"arguments": arguments, "files": ours}
    (folder / f"{os.getpid()}.json").write_text(json.dumps(note))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
