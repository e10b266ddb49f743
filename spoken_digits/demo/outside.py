"""A detector or sliding window as WebAssembly outside a browser: the page's engine in Node.js."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spoken_digits.embedded.commands import call
from spoken_digits.embedded.host_stream import event_of
from spoken_digits.integer.detector.endpoint import Pcm
from spoken_digits.integer.detector.event import Event

PROGRAM, PACKAGES = "node", "nodejs"
_HERE = Path(__file__).parent
_ENGINE, _HEAR = _HERE / "browser" / "engine.js", _HERE / "node" / "hear.js"


def events_of(
    module: bytes, blocks: Iterable[Pcm], *, windows: bool = False, timeout_s: float = 600.0
) -> list[Event]:
    """Events of a stream, from its beginning.

    Parameters
    ----------
    module
        From `demo.module.Sources.build`.
    blocks
        int16 samples.
    windows
        Listen through the sliding window, which the module must have.

    Raises
    ------
    UserError
        Node.js is missing, fails, or runs past `timeout_s`.
    """
    with tempfile.TemporaryDirectory(prefix="module-") as folder:
        paths = [Path(folder) / name for name in ("detector.wasm", "samples.bin")]
        content = b"".join(np.ascontiguousarray(block, "<i2").tobytes() for block in blocks)
        for path, data in zip(paths, (module, content), strict=True):
            path.write_bytes(data)
        said = call(
            *(PROGRAM, str(_HEAR), str(_ENGINE), *map(str, paths), str(int(windows))),
            packages=PACKAGES,
            timeout_s=timeout_s,
        )
    return [event_of([int(field) for field in line.split()]) for line in said.splitlines()]
