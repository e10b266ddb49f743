"""Make the folder of one model: its WebAssembly, and what a page must know of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spoken_digits.demo import module
from spoken_digits.demo.parts import DESCRIPTION, MADE_BY, MODULE, MODULE_SHA256, NOT_BUILT
from spoken_digits.errors import UserError
from spoken_digits.io import files
from spoken_digits.listen.model import Listener, has_sliding, open_listener
from spoken_digits.rejection.labels import NOT_WORDS


def describe(name: str, listener: Listener, content: bytes) -> dict[str, Any]:
    """What a page must know of a model, beside the module.

    Parameters
    ----------
    name
        Of the model, with its scheme.
    listener, content
        The model, and its file.
    """
    detector = dataclasses.asdict(listener.detector)
    endpoint = detector.pop("endpoint")
    kept = ("scale", "scale_shift", "threshold")
    sliding = listener.sliding and {
        name: getattr(listener.sliding, name)
        for name in ("threshold", "window", "step", "n_smoothed")
    }
    return {
        "name": name,
        "sha256": files.sha256(content),
        "labels": list(listener.labels),
        "silent": [label for label in listener.labels if label in NOT_WORDS],
        "sample_rate": listener.detector.sample_rate,
        "hop_length": listener.frontend.hop_length,
        "n_mels": listener.frontend.n_mels,
        "parameter_bytes": listener.network.parameter_bytes(),
        "detector": {key: detector[key] for key in kept}
        | {key: endpoint[key] for key in ("frame_length", "hangover")},
        "sliding": sliding,
    }


def make(model: Path, firmware: Path, folder: Path) -> str:
    """Write the folder of one model, unless it is there and whole; return a line that says so.

    A module that was built from the same sources stays as it is, whichever compiler is installed:
    another version would give other bytes. Where none can be built, the folder says why.

    Parameters
    ----------
    model
        An integer model; its detector lies beside it.
    firmware
        Folder of the C sources.
    folder
        What to write.

    Raises
    ------
    UserError
        The model or its detector is missing or damaged, or the compiler fails.
    """
    listener = open_listener(model, sliding=has_sliding(model))
    description = describe(model.stem, listener, model.read_bytes())
    parts = (listener.detector, listener.network, listener.frontend, listener.sliding)
    with module.Sources(firmware, *parts) as source:
        description["sources_sha256"] = source.digest()
        if is_made(folder, description):
            return f"{folder}: built before from the same sources"
        reasons = module.missing()
        content = b"" if reasons else source.build()
    if reasons:
        description[NOT_BUILT] = "; ".join(reasons)
    else:
        description[MODULE_SHA256] = files.sha256(content)
    with files.replacing(folder) as made:
        made.mkdir()
        files.write_json(made / DESCRIPTION, description)
        if content:
            (made / MODULE).write_bytes(content)
    if reasons:
        return f"{folder}: not built ({description[NOT_BUILT]}; Debian: {module.PACKAGES})"
    return f"{folder}: {len(content):,} bytes of WebAssembly"


def is_made(folder: Path, description: Mapping[str, Any]) -> bool:
    """Whether the folder holds a whole module of this description."""
    try:
        digest = files.sha256((folder / MODULE).read_bytes())
        recorded = files.read_json(folder / DESCRIPTION, MADE_BY)
    except (FileNotFoundError, UserError):  # missing or damaged: it is made again
        return False
    return recorded == {**description, MODULE_SHA256: digest}
