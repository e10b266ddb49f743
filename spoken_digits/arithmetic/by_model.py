"""Import this before NumPy and PyTorch: it pins the kernels as the model's parameters say.

The model is the first argument on the command line. `arithmetic` in its section `train` of
params.yaml decides, or else that of the common section `train`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from spoken_digits import arithmetic

_MAIN = "lstm"  # the model whose section is `model`, as in spoken_digits.models.params


def choose(arguments: Sequence[str], params: Any) -> str:
    """``portable`` or ``fast``, for the model that the arguments name.

    Whatever is missing or malformed counts as portable: the stage reads the same sections
    afterwards and reports the fault.
    """
    name = next((argument for argument in arguments if not argument.startswith("-")), _MAIN)
    section = ("model",) if name == _MAIN else ("variants", name)
    merged = {**_find(params, "train"), **_find(params, *section, "train")}
    return str(merged.get("arithmetic", "portable"))


def _find(params: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        params = params.get(key) if isinstance(params, Mapping) else None
    return params if isinstance(params, Mapping) else {}


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None


if choose(sys.argv[1:], _read(Path("params.yaml"))) == "portable":
    arithmetic.pin()
