"""Hours of streams through a detector in NumPy, in C, on an emulated board and as WebAssembly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from spoken_digits.demo import module, outside
from spoken_digits.embedded import boards, host_detector, host_stream
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import trial
from spoken_digits.evaluation.detection.examination import COMPILER, Examinee
from spoken_digits.evaluation.detection.material import Material
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.detection.running import C_BLOCKS, differences
from spoken_digits.evaluation.detection.streams import Stream
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.specification import DetectorSpec

Hear = Callable[[Stream], list[Event]]
"""Events of a stream heard from its beginning."""

_BOARD, _RAM_KIB = "m3", 256
_TIMEOUT_S = 1800.0
_PACKAGES = "gcc gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm clang lld nodejs"


@dataclass
class Proof:
    """What came out so far."""

    hours: float = 0.0
    events: int = 0
    words: int = 0
    """Events for which the recogniser was asked."""
    differences: dict[str, int] = field(default_factory=dict)
    """Events that a target does not give, or gives otherwise, by its name."""


def missing() -> list[str]:
    """Programs that are not installed here."""
    tools = [COMPILER, *boards.TOOLS, outside.PROGRAM, module.COMPILER, module.LINKER]
    return [tool for tool in tools if shutil.which(tool) is None]


def targets(model: Examinee, spec: DetectorSpec, folder: Path) -> dict[str, Hear]:
    """The detector in C on this machine, on an emulated Cortex-M3, and as WebAssembly.

    Parameters
    ----------
    model, spec
        The detector.
    folder
        Where it is built.

    Raises
    ------
    UserError
        A tool is missing, or fails.
    """
    if lacking := missing():
        raise UserError(
            f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed: "
            f"apt-get install {_PACKAGES}"
        )
    parts = (model.firmware, spec, model.network, model.frontend)
    for name in ("c", _BOARD):
        (folder / name).mkdir()
    in_c = host_detector.HostDetector(host_stream.build_host_library(*parts, folder / "c"))
    board = host_detector.BoardDetector(
        boards.BOARDS[_BOARD], *parts, folder / _BOARD, ram_kib=_RAM_KIB
    )
    with module.Sources(*parts) as sources:
        built = sources.build()

    def hear_c(stream: Stream) -> list[Event]:
        in_c.restart()
        return [event for block in stream.blocks() for event in in_c.hear(block, C_BLOCKS)]

    return {
        "c": hear_c,
        _BOARD: lambda stream: board.hear(stream.blocks(), timeout_s=_TIMEOUT_S)[0],
        "wasm": lambda stream: outside.events_of(built, stream.blocks(), timeout_s=_TIMEOUT_S),
    }


def streams(
    material: Material, params: DetectParams, sample_rate: int, seed: int, hours: float
) -> Iterator[Stream]:
    """Those that stage `detect` tests on, under one seed after the other, until they last."""
    found = 0.0
    while found < hours:
        made = trial.speech_streams(material, params, sample_rate, seed, "test")
        made |= trial.backgrounds_of(material, params, sample_rate, seed)
        for stream in made.values():
            if found < hours:
                found += stream.n_samples / sample_rate / 3600
                yield stream
        seed += 1


def prove(
    model: Examinee, spec: DetectorSpec, heard_by: dict[str, Hear], some: Iterator[Stream]
) -> Iterator[Proof]:
    """Every stream heard in NumPy and by every target; what came out so far, after each."""
    proof = Proof(differences=dict.fromkeys(heard_by, 0))
    length = spec.endpoint.frame_length
    for stream in some:
        detector = Detector(spec, model.recogniser.recognise)
        right = [event for block in stream.blocks() for event in detector.hear(block)]
        for name, hear in heard_by.items():
            proof.differences[name] += differences(right, hear(stream))
        proof.hours += stream.n_samples // length * length / spec.sample_rate / 3600
        proof.events += len(right)
        proof.words += sum(event.word >= 0 for event in right)
        yield proof
