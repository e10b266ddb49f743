"""Import this before NumPy and PyTorch: it pins the kernels as the model's plan says.

The model is the first argument on the command line; its plan is data/plans/<model>.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spoken_digits import arithmetic

PLANS = Path("data/plans")


def choose(arguments: Sequence[str], plans: Path) -> str:
    """``portable`` or ``fast``, for the model that the arguments name.

    Whatever is missing or malformed counts as portable: the stage reads the same file afterwards
    and reports the fault.
    """
    name = next((argument for argument in arguments if not argument.startswith("-")), "")
    try:
        plan: Any = json.loads((plans / f"{name}.json").read_text(encoding="utf-8"))
        return str(plan["recipe"]["arithmetic"])
    except (OSError, ValueError, KeyError, TypeError):
        return "portable"


if choose(sys.argv[1:], PLANS) == "portable":
    arithmetic.pin()
