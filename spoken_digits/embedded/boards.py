"""Bare-metal Cortex-M images: build them with arm-none-eabi-gcc, run them in QEMU.

An image is one board program (see ``firmware/boards/board.h``) linked with the start-up code
and a linker script. It reads ``input.bin``, writes ``output.bin`` and ``report.txt`` by
semihosting; :func:`run_image` passes bytes in and returns bytes and named counts.

QEMU counts executed instructions, not cycles.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spoken_digits.embedded import commands, objects

COMPILER = "arm-none-eabi-gcc"
EMULATOR = "qemu-system-arm"
NM = "arm-none-eabi-nm"
SIZE = "arm-none-eabi-size"
TOOLS = (COMPILER, NM, SIZE, EMULATOR)
PACKAGES = "gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic")
_CALL_GRAPH = "-fcallgraph-info=su"  # changes no code
ICOUNT_SHIFT = 6  # one instruction advances the emulated clock by 2**6 ns


@dataclass(frozen=True, kw_only=True)
class Board:
    """One emulated board."""

    name: str
    """Short name used in metrics: ``m0``, ``m3`` or ``m4``."""

    machine: str
    """QEMU's machine type."""

    cpu: str
    """The compiler's ``-mcpu``."""

    linker_script: str
    """File in ``firmware/boards/``."""

    ticks_per_instruction: tuple[int, int]
    """SysTick ticks in 2**ICOUNT_SHIFT ns, as numerator and denominator."""


BOARDS: Mapping[str, Board] = {
    board.name: board
    for board in (
        # 16 MHz: 64 ns = 1.024 ticks
        Board(
            name="m0",
            machine="microbit",
            cpu="cortex-m0",
            linker_script="microbit.ld",
            ticks_per_instruction=(128, 125),
        ),
        # 25 MHz: 64 ns = 1.6 ticks
        Board(
            name="m3",
            machine="mps2-an385",
            cpu="cortex-m3",
            linker_script="mps2_an385.ld",
            ticks_per_instruction=(8, 5),
        ),
        Board(
            name="m4",
            machine="mps2-an386",
            cpu="cortex-m4",
            linker_script="mps2_an385.ld",  # the memory map is that of the Cortex-M3
            ticks_per_instruction=(8, 5),
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Output of one run of an image."""

    output: bytes
    """Content of ``output.bin``; empty when the program wrote none."""

    report: dict[str, int]
    """Numbers from ``report.txt``; the last one of each name."""

    history: tuple[tuple[str, int], ...]
    """Every line of ``report.txt``, in order."""


def missing_tools() -> list[str]:
    """Required programs that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def build_image(
    board: Board,
    *,
    boards_dir: Path,
    sources: Sequence[Path],
    include_dirs: Sequence[Path],
    output: Path,
    optimisation: str = "-O2",
    defines: Sequence[str] = (),
    ram_kib: int | None = None,
) -> Path:
    """Link `sources` (one of them holds ``main``) with the start-up code into `output`, an ELF.

    Parameters
    ----------
    sources
        C files, and objects of `compile_objects`.
    boards_dir
        ``firmware/boards``: start-up code and linker scripts.
    defines
        Preprocessor definitions as ``NAME`` or ``NAME=value``.
    ram_kib
        Of m3 and m4, which have more than the 16 KiB that a program may use if this is None.
    """
    ticks, instructions = board.ticks_per_instruction
    flags = [*compile_flags(board, optimisation=optimisation), *(f"-D{name}" for name in defines)]
    _call(
        *(COMPILER, *flags, *_include([boards_dir, *include_dirs])),
        *(f"-DBOARD_TICKS={ticks}u", f"-DBOARD_INSTRUCTIONS={instructions}u"),
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        *([] if ram_kib is None else [f"-Wl,--defsym=BOARD_RAM={ram_kib}K"]),
        f"-Wl,-T,{boards_dir / board.linker_script}",
        *map(str, [boards_dir / "startup.c", boards_dir / "board.c"]),
        *map(str, objects.compiled(COMPILER, [*flags, _CALL_GRAPH], sources)),
        "-o",
        str(output),
    )
    return output


def compile_flags(board: Board, *, optimisation: str = "-O2") -> list[str]:
    """Flags to compile one C file for `board`; warnings are errors."""
    return [
        f"-mcpu={board.cpu}",
        "-mthumb",
        *WARNINGS,
        "-ffreestanding",
        "-ffunction-sections",
        "-fdata-sections",
        optimisation,
    ]


def _include(folders: Sequence[Path]) -> list[str]:
    return [f"-I{folder}" for folder in folders]


def compile_objects(
    board: Board,
    sources: Sequence[Path],
    folder: Path,
    *,
    include_dirs: Sequence[Path],
    optimisation: str = "-O2",
) -> list[Path]:
    """Compile each C file to an object; those of generated files are written into `folder`.

    Beside each object lies GCC's description of frames and calls, named ``<source>.ci``.
    """
    flags = [*compile_flags(board, optimisation=optimisation), _CALL_GRAPH]
    return [
        path
        if path.suffix == ".o"
        else compile_object(
            board,
            path,
            folder / f"{path.stem}.o",
            include_dirs=include_dirs,
            optimisation=optimisation,
        )
        for path in objects.compiled(COMPILER, flags, sources)
    ]


def compile_object(
    board: Board,
    source: Path,
    output: Path,
    *,
    include_dirs: Sequence[Path],
    optimisation: str = "-O2",
) -> Path:
    """Compile one C file to an object, for its sizes and undefined symbols."""
    flags = [*compile_flags(board, optimisation=optimisation), _CALL_GRAPH]
    _call(COMPILER, *flags, *_include(include_dirs), "-c", str(source), "-o", str(output))
    return output


def object_sizes(paths: Sequence[Path]) -> tuple[int, int]:
    """Flash and RAM of objects in bytes: (text + constants + data, data + zeroed)."""
    rows = [line.split() for line in _call(SIZE, *map(str, paths)).splitlines()[1:]]
    flash = sum(int(row[0]) + int(row[1]) for row in rows)
    return flash, sum(int(row[1]) + int(row[2]) for row in rows)


def symbols(binary: Path) -> list[str]:
    """Every symbol of an object or image, defined or not, sorted."""
    names = (line.split()[-1] for line in _call(NM, "--no-sort", str(binary)).splitlines() if line)
    return sorted(set(names))


def float_helpers(names: Sequence[str]) -> list[str]:
    """The floating-point run-time routines among `names`.

    Covers Arm's run-time ABI (``__aeabi_fadd``, ``__aeabi_d2iz``, ``__aeabi_i2f``, ...) and
    libgcc's own names (``__addsf3``, ``__floatsidf``, ...).
    """
    return [name for name in names if _is_float_helper(name)]


def _is_float_helper(name: str) -> bool:
    if name.startswith("__aeabi_"):
        operation = name.removeprefix("__aeabi_")
        to_float = operation in {"i2f", "i2d", "ui2f", "ui2d", "l2f", "l2d", "ul2f", "ul2d"}
        return to_float or operation.startswith(("f", "d", "cf", "cd", "h2"))
    return name.startswith("__") and name.rstrip("0123456789").endswith(
        ("sf", "df", "tf", "sfsi", "dfsi", "sfdi", "dfdi", "sidf", "sisf", "didf", "disf")
    )


def run_image(board: Board, image: Path, content: bytes, *, timeout_s: float = 120.0) -> Outcome:
    """Run `image` in the emulator with `content` as its ``input.bin``.

    Raises
    ------
    UserError
        When the program ends with a status other than 0, or runs past `timeout_s`.
    """
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        work = Path(folder)
        (work / "input.bin").write_bytes(content)
        _call(
            EMULATOR,
            *("-M", board.machine, "-cpu", board.cpu, "-nographic", "-monitor", "none"),
            *("-serial", "none", "-semihosting-config", "enable=on,target=native"),
            *("-icount", f"shift={ICOUNT_SHIFT},sleep=off", "-kernel", str(image.resolve())),
            folder=work,
            timeout_s=timeout_s,
        )
        output, report = work / "output.bin", work / "report.txt"
        lines = report.read_text(encoding="ascii").splitlines() if report.exists() else []
        pairs = tuple((name, int(value)) for name, value in (line.split() for line in lines))
        return Outcome(
            output=output.read_bytes() if output.exists() else b"",
            report=dict(pairs),
            history=pairs,
        )


def _call(*command: str, folder: Path | None = None, timeout_s: float = 120.0) -> str:
    """Run a program and return its output; raise `UserError` if it fails."""
    done = commands.call(*command, packages=PACKAGES, folder=folder, timeout_s=timeout_s)
    return done.decode(errors="replace")
