"""Compiler and emulator of the recorded costs: which versions, and whether installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Annotated

from spoken_digits.bounds import Bounds, Length
from spoken_digits.embedded import boards

PACKAGES = f"gcc {boards.PACKAGES}"


@dataclass(frozen=True, kw_only=True)
class MeasureParams:
    """Section `measure`: the tools that the recorded figures belong to, and on how many clips."""

    arm_gcc: Annotated[str, Length(1, 20, example="12.2")]
    """Version of arm-none-eabi-gcc, or its beginning: 12.2 matches 12.2.1."""
    qemu: Annotated[str, Length(1, 20, example="7.2")]
    """Version of qemu-system-arm, or its beginning."""
    clips: Annotated[int, Bounds(1, 100_000, example=150)]
    """At most so many test clips, spread evenly over words and speakers; `make prove` runs all."""


def missing(tools: MeasureParams) -> list[str]:
    """Why the costs cannot be measured here; empty if they can."""
    absent = [tool for tool in ("gcc", *boards.missing_tools()) if shutil.which(tool) is None]
    if absent:
        return [f"{tool} is not installed" for tool in absent]
    wanted = {boards.COMPILER: tools.arm_gcc, boards.EMULATOR: tools.qemu}
    found = {tool: version(tool) for tool in wanted}
    return [
        f"{tool} is {found[tool]}, the record is of {want}"
        for tool, want in wanted.items()
        if not f"{found[tool]}.".startswith(f"{want}.")
    ]


def version(tool: str) -> str:
    """The version that a tool reports, such as 12.2.1."""
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    numbers = re.findall(r"\d+(?:\.\d+)+", re.sub(r"\([^)]*\)", "", said.splitlines()[0]))
    return numbers[0] if numbers else "of an unknown version"
