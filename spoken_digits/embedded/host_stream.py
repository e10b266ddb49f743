"""Sources and builds of what listens to a stream in C: a detector, or a sliding window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spoken_digits.embedded import boards, host_recogniser
from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.emit import sliding as c_sliding
from spoken_digits.embedded.host_build import build_shared_library, write_sources
from spoken_digits.integer.detector.event import Event, Verdict
from spoken_digits.integer.detector.specification import DetectorSpec, SlidingSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

StreamSpec = DetectorSpec | SlidingSpec


def source_paths(
    spec: StreamSpec, firmware: Path, network: IntegerGraph, frontend: Spec
) -> list[Path]:
    """The C files of a detector or sliding window and its recogniser, but the generated ones."""
    emit = c_sliding if isinstance(spec, SlidingSpec) else c_detector
    own = [firmware / name for name in emit.SOURCES]
    # Some may be those of the recogniser, too.
    return list(dict.fromkeys([*own, *host_recogniser.source_paths(firmware, network, frontend)]))


def write_generated(
    spec: StreamSpec, network: IntegerGraph, frontend: Spec, folder: Path
) -> list[Path]:
    """Write model and detector or sliding window into `folder`; return the sources."""
    of_recogniser = (network, frontend, host_recogniser.NAME)
    labels = [str(number) for number in range(network.n_classes)]
    if isinstance(spec, SlidingSpec):
        texts = c_sliding.c_files(spec, *of_recogniser, labels)
    else:
        texts = c_detector.c_files(spec, *of_recogniser, labels)
    model = host_recogniser.write_model(network, frontend, folder)
    return [*model, *write_sources(texts, folder)]


def build_host_library(
    firmware: Path,
    spec: StreamSpec,
    network: IntegerGraph,
    frontend: Spec,
    folder: Path,
    *,
    compiler: str = "gcc",
    flags: Sequence[str] = ("-O2",),
) -> Path:
    """Compile detector or sliding window into a shared library in `folder`; warnings are errors."""
    name = _name(spec)
    sources = _sources(firmware, spec, network, frontend, folder)
    return build_shared_library(
        folder / f"{name}.so",
        [*sources, firmware / "host" / f"{name}_host.c"],
        [firmware, folder],
        compiler=compiler,
        flags=flags,
    )


def build_image(
    board: boards.Board,
    firmware: Path,
    spec: StreamSpec,
    network: IntegerGraph,
    frontend: Spec,
    folder: Path,
    *,
    optimisation: str = "-O2",
    ram_kib: int | None = None,
) -> Path:
    """Compile detector or sliding window for an emulated board, into `folder`.

    Parameters
    ----------
    ram_kib
        As of `boards.build_image`.
    """
    name = _name(spec)
    sources = _sources(firmware, spec, network, frontend, folder)
    return boards.build_image(
        board,
        boards_dir=firmware / "boards",
        sources=[*sources, firmware / "boards" / f"{name}_board.c"],
        include_dirs=[folder, firmware],
        output=folder / f"{name}.elf",
        optimisation=optimisation,
        ram_kib=ram_kib,
    )


def event_of(row: Sequence[int]) -> Event:
    """An event from its six fields, in the order of `Event`."""
    verdict, *rest = row
    return Event(Verdict(verdict), *rest)


def _name(spec: StreamSpec) -> str:
    """As in the names of its programs."""
    return "sliding" if isinstance(spec, SlidingSpec) else "detector"


def _sources(
    firmware: Path, spec: StreamSpec, network: IntegerGraph, frontend: Spec, folder: Path
) -> list[Path]:
    return [
        *source_paths(spec, firmware, network, frontend),
        *write_generated(spec, network, frontend, folder),
    ]
