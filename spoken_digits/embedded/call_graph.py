"""Who calls whom in a recogniser's C, and how much stack that takes, by static analysis.

GCC writes each function's frame and calls beside its object. Calls through a pointer go to
the functions whose addresses the tables of `_TABLES` hold. With no recursion and no frame of
unknown size, the deepest path is a bound of the stack.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoken_digits.embedded import boards, commands, host_recogniser
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

READELF = "arm-none-eabi-readelf"

ENTRIES = (
    "sd_recogniser_init",
    "sd_recogniser_reset",
    "sd_recogniser_hear",
    "sd_recogniser_result",
)
"""What an application calls."""

_INDIRECT = "__indirect_call"

_NODES = f"{host_recogniser.NAME}:nodes"
_TABLES = {
    "sd_recogniser": ("sd_by_frame:sd_by_frame", "sd_by_word:sd_by_word"),
    "sd_graph": (f"{host_recogniser.NAME}:{host_recogniser.NAME}",),
    "sd_graph_run": (_NODES,),
}
"""Function or source that calls through pointers -> constants, as ``source:name``, that hold them.

Where a function was inlined, so that its name is gone, those of its source stand for it.
"""


@dataclass(frozen=True, kw_only=True)
class CallGraph:
    """Functions by name; those that are static have their source in front, as ``sd_fft:turned``."""

    frames: Mapping[str, int]
    """Bytes of stack of each function that is compiled."""
    calls: Mapping[str, frozenset[str]]
    """Functions that each one calls, directly or through a pointer."""
    undefined: frozenset[str] = frozenset()
    """Symbols that no source defines: a library's, whether called in C or by the compiler."""

    def outside(self) -> set[str]:
        """Functions that are not compiled: nothing is known of their stack."""
        called = {callee for callees in self.calls.values() for callee in callees}
        return (called - set(self.frames)) | self.undefined

    def recursion(self) -> list[str]:
        """A chain of calls that ends where it began; empty if there is none."""
        done: set[str] = set()

        def search(function: str, chain: list[str]) -> list[str]:
            if function in chain:
                return [*chain[chain.index(function) :], function]
            if function in done:
                return []
            for callee in sorted(self.calls.get(function, ())):
                if found := search(callee, [*chain, function]):
                    return found
            done.add(function)
            return []

        return next((found for name in sorted(self.frames) if (found := search(name, []))), [])

    def deepest(self, function: str) -> tuple[int, list[str]]:
        """Bytes of stack at most while `function` runs, and the calls that lead there.

        Raises
        ------
        ValueError
            There is recursion, or a called function is not compiled.
        """
        if chain := self.recursion():
            raise ValueError(f"recursion: {' -> '.join(chain)}")
        if unknown := sorted(self.outside()):
            raise ValueError(f"the stack of {', '.join(unknown)} is unknown")
        known: dict[str, tuple[int, list[str]]] = {}

        def search(name: str) -> tuple[int, list[str]]:
            if name not in known:
                below = [search(callee) for callee in self.calls.get(name, ())]
                n_bytes, path = max(below, default=(0, []))
                known[name] = self.frames[name] + n_bytes, [name, *path]
            return known[name]

        return search(function)

    def stack_bound(self) -> int:
        """Bytes of stack at most in any call of a recogniser."""
        return max(self.deepest(entry)[0] for entry in ENTRIES)


def of_recogniser(
    board: boards.Board,
    firmware: Path,
    network: IntegerGraph,
    spec: Spec,
    *,
    optimisation: str = "-O2",
) -> CallGraph:
    """The graph of a recogniser compiled for `board`.

    Raises
    ------
    UserError
        The cross-compiler is missing, or the C does not compile.
    ValueError
        A frame has no fixed size, or a call through a pointer goes nowhere known.
    """
    with tempfile.TemporaryDirectory(prefix="calls-") as name:
        folder = Path(name)
        objects = host_recogniser.compile_objects(
            board,
            firmware,
            network,
            spec,
            folder,
            optimisation=optimisation,
        )
        tables = {
            f"{path.stem}:{constant}": functions
            for path in objects
            for constant, functions in _pointers(path).items()
        }
        texts = {path.stem: path.with_suffix(".ci").read_text() for path in objects}
        undefined = _undefined(objects)
    return parsed(texts, tables, undefined)


def parsed(
    texts: Mapping[str, str],
    tables: Mapping[str, frozenset[str]],
    undefined: frozenset[str] = frozenset(),
) -> CallGraph:
    """The graph that GCC's files describe.

    Parameters
    ----------
    texts
        Content of the ``.ci`` file of each source, by stem.
    tables
        Functions whose addresses constants hold, by ``source:name`` of the constant.
    undefined
        As in `CallGraph`.
    """
    frames: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for stem, text in texts.items():
        for title, label in re.findall(r'node: \{ title: "([^"]+)" label: "([^"]+)"', text):
            if size := re.search(r"\\n(\d+) bytes \((\w+)", label):
                if size[2] != "static":
                    raise ValueError(f"{stem}: the frame of {title} has no fixed size")
                frames[_named(title)] = int(size[1])
    for stem, text in texts.items():
        for caller, callee in re.findall(r'sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            found = calls.setdefault(_named(caller), set())
            if callee != _INDIRECT:
                found.add(_named(callee))
                continue
            held = {
                function
                for table in _TABLES.get(_named(caller).partition(".")[0], _TABLES.get(stem, ()))
                for name in tables.get(table, ())
                for function in (name, f"{table.partition(':')[0]}:{name}")
                if function in frames  # the others are data
            }
            if not held:
                raise ValueError(f"{stem}: {caller} calls through a pointer, to nowhere known")
            found.update(held)
    return CallGraph(
        frames=frames,
        calls={name: frozenset(some) for name, some in calls.items()},
        undefined=undefined,
    )


def _named(title: str) -> str:
    """``/a/sd_fft.c:turned`` as ``sd_fft:turned``."""
    source, _, function = title.rpartition(":")
    return f"{Path(source).stem}:{function}" if source else function


def _pointers(path: Path) -> dict[str, frozenset[str]]:
    """Symbols whose addresses the constants of an object hold, by name of the constant."""
    listing = commands.call(READELF, "--relocs", "--wide", str(path), packages=boards.PACKAGES)
    found: dict[str, set[str]] = {}
    constant = ""
    for line in listing.decode().splitlines():
        if line.startswith("Relocation section"):
            section = re.search(r"'\.rel\.(?:rodata|data)\.([^']+)'", line)
            constant = section[1] if section else ""
        elif constant and "R_ARM_ABS32" in line:
            found.setdefault(constant, set()).add(line.split()[-1])
    return {name: frozenset(symbols) for name, symbols in found.items()}


def _undefined(objects: Sequence[Path]) -> frozenset[str]:
    """Symbols that objects need and none of them defines."""
    listing = commands.call(boards.NM, *map(str, objects), packages=boards.PACKAGES).decode()
    rows = [line.split() for line in listing.splitlines() if line and not line.endswith(":")]
    needed = {row[-1] for row in rows if row[-2] == "U"}
    return frozenset(needed - {row[-1] for row in rows if row[-2] != "U"})
