"""Where a recogniser is proven: every compiler and processor, and how a program runs there.

One program, ``firmware/boards/recogniser_board.c``, runs on all of them: clips of samples in,
logits out. A target whose tools are missing says so (:meth:`Target.missing`).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import boards, host_recogniser, objects
from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.commands import call
from spoken_digits.embedded.host_build import NO_FLOAT
from spoken_digits.errors import UserError
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Pcm = NDArray[np.int16]
Answers = tuple[NDArray[np.int32], dict[str, int]]
"""Logits (n_clips, n_classes), and what the program reports of its cost."""

TIMEOUT_S = 3600.0

_AVR_RAM = 0x800100  # where it begins for the linker


class TooLargeError(UserError):
    """The processor has too little memory for the recogniser."""


@dataclass(frozen=True, kw_only=True)
class Target(ABC):
    """A compiler with its flags, and a processor."""

    name: str
    """In tables and metrics."""
    tools: tuple[str, ...]
    """Programs that it needs."""
    packages: str
    """Debian's packages that hold them."""

    def missing(self) -> list[str]:
        """Those of `tools` that are not installed."""
        return [tool for tool in self.tools if shutil.which(tool) is None]

    def chosen(self, clips: Sequence[Pcm]) -> NDArray[np.intp]:
        """Numbers of the clips that it can run in reasonable time: here all."""
        return np.arange(len(clips))

    @abstractmethod
    def run(
        self, firmware: Path, network: IntegerGraph, spec: Spec, clips: Sequence[Pcm]
    ) -> Answers:
        """Compile the recogniser, and run it on `clips`.

        Raises
        ------
        UserError
            The C does not compile, or the program fails.
        TooLargeError
            The recogniser does not fit the processor.
        """


@dataclass(frozen=True, kw_only=True)
class CortexM(Target):
    """An emulated board, which counts instructions and stack."""

    board: boards.Board

    def run(
        self, firmware: Path, network: IntegerGraph, spec: Spec, clips: Sequence[Pcm]
    ) -> Answers:
        """As `Target.run`."""
        return host_recogniser.logits_on_board(
            self.board, firmware, network, spec, clips, timeout_s=TIMEOUT_S
        )


@dataclass(frozen=True, kw_only=True)
class Streaming(Target):
    """A program that reads all its input as one stream and writes one, and counts nothing."""

    byte_order: str = "<"

    def run(
        self, firmware: Path, network: IntegerGraph, spec: Spec, clips: Sequence[Pcm]
    ) -> Answers:
        """As `Target.run`."""
        with tempfile.TemporaryDirectory(prefix="proof-") as name:
            folder = Path(name)
            sources = [
                *host_recogniser.source_paths(firmware, network, spec),
                *host_recogniser.write_model(network, spec, folder),
                firmware / "boards" / "recogniser_board.c",
            ]
            content = host_recogniser.encoded(clips, self.byte_order)
            output = self.output(firmware, sources, folder, content)
        logits = np.frombuffer(output, f"{self.byte_order}i4").astype(np.int32)
        return logits.reshape(-1, network.n_classes), {}

    @abstractmethod
    def output(
        self, firmware: Path, sources: Sequence[Path], folder: Path, content: bytes
    ) -> bytes:
        """Compile a program for ``firmware/boards/board.h`` in `folder`, and run it on `content`.

        Raises
        ------
        UserError
            As in `run`.
        """


@dataclass(frozen=True, kw_only=True)
class Process(Streaming):
    """A process on Linux: on this machine, or on an emulated processor."""

    flags: tuple[str, ...]
    emulator: str = ""
    """Nothing on this machine."""

    def output(
        self, firmware: Path, sources: Sequence[Path], folder: Path, content: bytes
    ) -> bytes:
        """As `Streaming.output`."""
        compiler, program = self.tools[0], folder / "program"
        services = firmware / "boards" / "process.c"
        libraries = ["-lgcc"] if self.emulator and compiler.endswith("gcc") else []
        flags = [*WARNINGS, *self.flags]
        inputs = objects.compiled(compiler, flags, sources)
        call(
            *(compiler, *flags, *_include(firmware, folder)),
            *(*map(str, [*inputs, services]), *libraries, "-o", str(program)),
            packages=self.packages,
        )
        command = [*([self.emulator] if self.emulator else []), str(program)]
        return call(*command, packages=self.packages, content=content, timeout_s=TIMEOUT_S)


@dataclass(frozen=True, kw_only=True)
class Avr(Streaming):
    """An emulated AVR: ``int`` has 16 bits, constants lie in RAM, and few clips fit the flash."""

    device: str = "atmega1284p"
    ram_bytes: int = 16384 - 512
    """Less some stack."""
    input_bytes: int = 56_000
    n_clips: int = 8

    def chosen(self, clips: Sequence[Pcm]) -> NDArray[np.intp]:
        """Clips from all over the list, as many as fit."""
        step = max(1, len(clips) // self.n_clips)
        room = self.input_bytes
        found: list[int] = []
        for number in range(0, len(clips), step):
            n_bytes = 4 + 2 * len(clips[number])
            if n_bytes <= room and len(found) < self.n_clips:
                found.append(number)
                room -= n_bytes
        return np.array(found, np.intp)

    def output(
        self, firmware: Path, sources: Sequence[Path], folder: Path, content: bytes
    ) -> bytes:
        """As `Streaming.output`."""
        image, data = folder / "program.elf", folder / "input.bin"
        data.write_bytes(content)
        services = [firmware / "boards" / name for name in ("avr.c", "avr.S")]
        flags = [f"-mmcu={self.device}", "-Os", *WARNINGS]
        inputs = objects.compiled(self.tools[0], flags, sources)
        try:
            call(
                *(self.tools[0], *flags),
                f"-Wl,--defsym=__DATA_REGION_LENGTH__={self.ram_bytes}",
                *(f'-DBOARD_INPUT="{data}"', *_include(firmware, folder)),
                *(*map(str, [*inputs, *services]), "-o", str(image)),
                packages=self.packages,
            )
        except UserError as error:
            if excess := self._excess(str(error)):
                raise TooLargeError(excess) from None
            raise
        command = self.tools[1], "-m", self.device, "-f", "20000000", str(image)
        # the serial port is written to standard error, in colours
        said = call(
            *("sh", "-c", 'exec "$@" 2>&1', "sh", *command),
            packages=self.packages,
            timeout_s=TIMEOUT_S,
        ).decode(errors="replace")
        lines = re.findall(r"\x1b\[\d*m(\w+ \w+)\.", said)
        if "exit 0" not in lines:
            raise UserError(f"{self.name}: the program failed: {said.strip()[-300:]}")
        rows = [line.removeprefix("data ") for line in lines if line.startswith("data ")]
        return bytes.fromhex("".join(rows))

    def _excess(self, linker_said: str) -> str:
        """What memory it lacks; empty if that was not the linker's trouble."""
        if flash := re.search(r"region `text' overflowed by (\d+) bytes", linker_said):
            return f"{self.device} lacks {int(flash[1]):,} B of flash"
        ends = re.findall(
            r"address 0x([0-9a-f]+) of \S+ section `\.\w+' is not within", linker_said
        )
        if not ends:
            return ""
        n_bytes = max(int(end, 16) for end in ends) - _AVR_RAM - self.ram_bytes
        return f"{self.device} lacks {n_bytes:,} B of RAM"


def _include(firmware: Path, folder: Path) -> list[str]:
    return [f"-I{path}" for path in (firmware, firmware / "boards", folder)]


_BARE = ("-ffreestanding", "-nostdlib", "-static", "-Wl,-e,_start")
_RV32 = ("-march=rv32imac", "-mabi=ilp32", *_BARE)
_MIPS = ("-march=mips32r2", "-mno-abicalls", "-fno-pic", "-G0", *_BARE)


def _native() -> Iterable[Target]:
    """Compilers for this machine."""
    for compiler, flags in (
        *(("gcc", ("-O0", *NO_FLOAT)), ("gcc", ("-O2", *NO_FLOAT)), ("gcc", ("-O3", *NO_FLOAT))),
        *(("gcc", ("-O3", "-march=native")), ("gcc", ("-O3", "-flto"))),
        *(("clang", ("-O3", *NO_FLOAT)), ("clang", ("-O3", "-march=native"))),
    ):
        name = " ".join((compiler, *(flag for flag in flags if flag not in NO_FLOAT)))
        yield Process(name=name, tools=(compiler,), packages=compiler, flags=flags)


def _by_clang(name: str, triple: str, emulator: str, *flags: str, byte_order: str = "<") -> Target:
    """A processor that clang compiles for, and lld links."""
    return Process(
        name=f"{name} clang -O3",
        tools=("clang", "ld.lld", emulator),
        packages="clang lld qemu-user",
        flags=("-O3", f"--target={triple}", "-fuse-ld=lld", *flags),
        emulator=emulator,
        byte_order=byte_order,
    )


def _emulated() -> Iterable[Target]:
    """Processors of other kinds.

    An aarch64 is what a Raspberry Pi and a telephone have; its types have other sizes than those
    of a Cortex-M. An armv7-a has the instructions of a Cortex-M, but not in the state chosen here.
    A MIPS has its bytes in the other order, and an access that is not aligned is a fault.
    """
    yield Process(
        name="riscv32 gcc -O2",
        tools=("riscv64-unknown-elf-gcc", "qemu-riscv32"),
        packages="gcc-riscv64-unknown-elf qemu-user",
        flags=("-O2", *_RV32, "-Wl,--no-relax"),
        emulator="qemu-riscv32",
    )
    yield _by_clang("riscv32", "riscv32-unknown-elf", "qemu-riscv32", "-mno-relax", *_RV32)
    yield _by_clang("aarch64", "aarch64-linux-gnu", "qemu-aarch64", "-mgeneral-regs-only", *_BARE)
    yield Process(
        name="armv7-a gcc -O2",
        tools=("arm-none-eabi-gcc", "qemu-arm"),
        packages="gcc-arm-none-eabi qemu-user",
        flags=("-O2", "-mcpu=cortex-a9", "-marm", "-mfloat-abi=soft", *_BARE),
        emulator="qemu-arm",
    )
    yield Process(
        name="mips big-endian gcc -O2",
        tools=("mips-linux-gnu-gcc", "qemu-mips"),
        packages="gcc-mips-linux-gnu qemu-user",
        flags=("-O2", *_MIPS),
        emulator="qemu-mips",
        byte_order=">",
    )
    yield _by_clang(
        "mips big-endian", "mips-linux-gnu", "qemu-mips", "-mno-gpopt", *_MIPS, byte_order=">"
    )
    yield Avr(name="avr gcc -Os", tools=("avr-gcc", "simavr"), packages="gcc-avr avr-libc simavr")


def on_board(board: boards.Board) -> Target:
    """The target that an emulated board is."""
    return CortexM(
        name=f"{board.cpu} gcc -O2",
        tools=(boards.COMPILER, boards.NM, boards.SIZE, boards.EMULATOR),
        packages=boards.PACKAGES,
        board=board,
    )


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (*_native(), *map(on_board, boards.BOARDS.values()), *_emulated())
}
"""By name, in the order of tables."""
