"""Audio files on disk."""

from __future__ import annotations

from pathlib import Path

from spoken_digits.audio.base import MAX_BYTES, AudioError, AudioFormat, Waveform, too_long
from spoken_digits.audio.decode import decode

_BLOCK = 1 << 20


def read(path: Path) -> tuple[Waveform, AudioFormat]:
    """`decode` for a file on disk."""
    return decode(read_bytes(path, str(path)), str(path))


def read_bytes(path: Path, name: str) -> bytes:
    """The content of `path`; errors refer to it as `name`.

    Raises
    ------
    AudioError
        The file is missing, cannot be read, or is larger than any recording of a word.
    """
    content = bytearray()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise too_long(name)
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                content += block
                if len(content) > MAX_BYTES:
                    raise too_long(name)
    except FileNotFoundError:
        raise AudioError(name, "does not exist", "check the name") from None
    except OSError as error:
        raise AudioError(name, f"cannot be read ({error.strerror})", "check the file") from None
    return bytes(content)
