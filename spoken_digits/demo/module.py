"""A detector, and perhaps a sliding window, as WebAssembly, by clang and its linker.

Without a system, without a library.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from spoken_digits.embedded import host_stream, objects
from spoken_digits.embedded.boards import WARNINGS
from spoken_digits.embedded.commands import call
from spoken_digits.integer.detector.specification import DetectorSpec, SlidingSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

COMPILER, LINKER = "clang", "wasm-ld"
PACKAGES = "clang lld"
_FUNCTIONS = (
    *("samples", "room", "listen", "hear", "heard", "logits", "floor", "state", "ram"),
    *("repeat", "look", "bands"),
)
EXPORTS = tuple(f"sd_web_{name}" for name in _FUNCTIONS)
"""Functions of ``firmware/web/detector_web.h``."""

_STACK_BYTES = 16_384  # it lies first: an overflow is a trap, not a wrong answer
_OPTIONS = (
    *("--target=wasm32", "-mbulk-memory", "-Os", "-ffreestanding", "-nostdlib", *WARNINGS),
    *("-Wl,--no-entry", "-Wl,--strip-all", "-Wl,--gc-sections", "-Wl,--stack-first"),
    f"-Wl,-zstack-size={_STACK_BYTES}",
    *(f"-Wl,--export={function}" for function in EXPORTS),
)


def missing() -> list[str]:
    """Why no module can be built here; empty if one can."""
    return [f"{tool} is not installed" for tool in (COMPILER, LINKER) if shutil.which(tool) is None]


class Sources:
    """All that a module is built from, in a folder of its own until it is closed.

    Parameters
    ----------
    firmware
        Folder of the C sources.
    spec, network, frontend
        The detector and its recogniser.
    sliding
        A sliding window of the same recogniser, where the module is to have one.

    Raises
    ------
    ValueError
        The detector is not for this recogniser.
    """

    def __init__(
        self,
        firmware: Path,
        spec: DetectorSpec,
        network: IntegerGraph,
        frontend: Spec,
        sliding: SlidingSpec | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="module-")
        self._folder = Path(self._temporary.name)
        self._firmware = firmware
        self._options = [*_OPTIONS, f"-DSD_WEB_HAS_WINDOWS={int(sliding is not None)}"]
        files = [firmware / "web" / "detector_web.c"]
        for one in (spec, sliding):
            if one is not None:
                files += host_stream.source_paths(one, firmware, network, frontend)
                files += host_stream.write_generated(one, network, frontend, self._folder)
        self._files = list(dict.fromkeys(files))  # both have the recogniser's

    def __enter__(self) -> Sources:
        return self

    def __exit__(self, *_: object) -> None:
        self._temporary.cleanup()

    def digest(self) -> str:
        """SHA-256 of the sources, all headers and the compiler's options: 64 hex digits."""
        headers = [*self._firmware.rglob("*.h"), *self._folder.glob("*.h")]
        digest = hashlib.sha256(" ".join(self._options).encode())
        for path in sorted({*self._files, *headers}, key=lambda path: path.name):
            content = path.read_bytes()
            digest.update(f"\n{path.name} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    def build(self) -> bytes:
        """The module; it imports nothing.

        Raises
        ------
        UserError
            A tool is missing, or refuses the sources.
        """
        output = self._folder / "detector.wasm"
        include = (self._firmware, self._firmware / "web", self._folder)
        call(
            *(COMPILER, *self._options, *(f"-I{path}" for path in include)),
            *map(str, objects.compiled(COMPILER, self._options, self._files)),
            *("-o", str(output)),
            packages=PACKAGES,
        )
        return output.read_bytes()
