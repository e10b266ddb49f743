"""The folder that stage `web` makes of one model, as a page reads it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.io import files

MODULE, DESCRIPTION = "detector.wasm", "model.json"
NOT_BUILT = "not_built"
"""Key of a description: why there is no module."""
MODULE_SHA256 = "module_sha256"
"""Key of a description: digest of the module."""
MADE_BY = "dvc repro web"


def read(folder: Path) -> dict[str, Any]:
    """What a page carries of one model: the description, and `module` in base64.

    Where none was built, there is no `module`, but `not_built`, the reason.

    Raises
    ------
    UserError
        The folder is missing or damaged.
    """
    found = files.read_json(folder / DESCRIPTION, MADE_BY)
    if NOT_BUILT in found:
        return found
    path = folder / MODULE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is missing: make it with `{MADE_BY}`") from None
    if found.get(MODULE_SHA256) != files.sha256(content):
        raise UserError(f"{path} is damaged: make it again with `{MADE_BY}`")
    module_text = base64.b64encode(content).decode()
    return {**found, "module": module_text, "module_bytes": len(content)}
