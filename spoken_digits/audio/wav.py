"""WAV files: a bounded reader of their headers, and a writer.

The standard library's `wave` raises a dozen kinds of exceptions on damaged files, and neither
it nor libsndfile can distinguish an unfinished recording from an empty one. This reader only
finds the format and the samples; samples other than 16-bit PCM are left to libsndfile.

Reference: Microsoft and IBM, *Multimedia Programming Interface and Data Specifications 1.0*
(1991), chapter 3: a file is ``RIFF size WAVE`` and chunks ``id size content``, each padded to
an even length.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
import soundfile

from spoken_digits.audio.base import AudioFormat, Waveform, check_format, max_frames, too_long

_PCM = 1
_MAX_CHUNKS = 1_000
_CHUNK_IDS = frozenset(
    b"fmt |data|fact|LIST|INFO|JUNK|junk|FLLR|PAD |bext|cue |plst|smpl|inst|PEAK|iXML|aXML|axml|"
    b"chna|ID3 |id3 |_PMX|acid|cart|DISP|afsp|levl|minf|elm1|regn|umid|SyLp|Cr8r|LGWV|strc".split(
        b"|"
    )
)

UNFINISHED = "no length in its header, as if recording had been interrupted: read to its end"
CUT_SHORT = "cut short, its header promises more samples: read to its end"
MORE_FOLLOWS = (
    "more data than its header says, the rest is left out: "
    "if sound is missing, mend it with `ffmpeg -ignore_length 1 -i FILE MENDED.wav`"
)


@dataclass(frozen=True, kw_only=True)
class WavHeader:
    """Position and format of the samples in a WAV file."""

    format_chunk: bytes
    """Content of the chunk ``fmt``, 16 bytes or more."""
    start: int
    """Position of the first sample, bytes."""
    n_bytes: int
    """Bytes of samples actually in the file, whatever the header says."""
    has_odd_chunk: bool
    """Whether a chunk of odd length comes before the samples, padded or not."""
    note: str
    """How the stated length is wrong and what is read instead; empty if it is right."""

    @property
    def is_pcm16(self) -> bool:
        tag, *_, bits = struct.unpack_from("<HHIIHH", self.format_chunk)
        return bool(tag == _PCM and bits == 16)

    @property
    def is_intact(self) -> bool:
        """Whether libsndfile finds the same samples by itself; odd chunks can mislead it."""
        return not self.has_odd_chunk and not self.note

    def mended(self, content: bytes) -> bytes:
        """The file with only its format and its samples, and with correct lengths."""
        samples = content[self.start : self.start + self.n_bytes]
        body = b"WAVE" + _chunk(b"fmt ", self.format_chunk) + _chunk(b"data", samples)
        return _chunk(b"RIFF", body)


def parse(content: bytes) -> WavHeader | None:
    """The header of a WAV file; None if not a WAV file, or without format or samples."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    format_chunk, has_odd_chunk, position = None, False, 12
    for _ in range(_MAX_CHUNKS):
        if position + 8 > len(content):
            return None
        identity, size = struct.unpack_from("<4sI", content, position)
        start = position + 8
        if identity == b"data":
            if format_chunk is None:
                return None
            n_bytes, note = _extent(content, start, size)
            return WavHeader(
                format_chunk=format_chunk,
                start=start,
                n_bytes=n_bytes,
                has_odd_chunk=has_odd_chunk,
                note=note,
            )
        if identity == b"fmt ":
            if size < 16 or start + size > len(content):
                return None
            format_chunk = content[start : start + size]
        has_odd_chunk = has_odd_chunk or size % 2 == 1
        position = _next_chunk(content, start, size)
    return None


def _next_chunk(content: bytes, start: int, size: int) -> int:
    """Position of the chunk that follows the one of `size` bytes at `start`.

    Some editors leave out the pad byte after an odd length.
    """
    end = start + size
    if size % 2 == 0:
        return end
    is_padded = content[end + 1 : end + 5] in _CHUNK_IDS or content[end : end + 4] not in _CHUNK_IDS
    return end + is_padded


def _extent(content: bytes, start: int, size: int) -> tuple[int, str]:
    """Bytes of samples from `start` on, and how the stated `size` is wrong.

    Recorders state the length when they close the file; until then it is 0 or beyond any file.
    """
    there = len(content) - start
    if size == 0 and there and not _starts_chunk(content[start:]):
        return there, UNFINISHED
    if size > there:
        # Programs that write into a pipe state the largest length they can.
        return there, UNFINISHED if size >= 0x7FFF_0000 else CUT_SHORT
    rest = content[start + size :]
    return size, "" if _starts_chunk(rest) else MORE_FOLLOWS


def _starts_chunk(rest: bytes) -> bool:
    """Whether `rest` may follow samples: nothing, padding, chunks, or an ID3v1 tag."""
    for offset in (0, 1):
        if rest[offset : offset + 4] in _CHUNK_IDS or rest[offset : offset + 3] == b"TAG":
            return True
        identity = rest[offset : offset + 4]
        if len(identity) == 4 and identity.isascii() and identity.decode().isprintable():
            size = int.from_bytes(rest[offset + 4 : offset + 8], "little")
            if offset + 8 + size <= len(rest):
                return True
    return len(rest) <= 1 or not any(rest)


def _chunk(identity: bytes, content: bytes) -> bytes:
    return identity + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def decode_pcm16(content: bytes, header: WavHeader, name: str) -> tuple[Waveform, AudioFormat]:
    """Samples (n_samples, n_channels) of a plain 16-bit file.

    Every published corpus uses this format. This takes half the time of libsndfile, which reads
    from memory through callbacks into Python.
    """
    _, n_channels, sample_rate = struct.unpack_from("<HHI", header.format_chunk)
    audio_format = AudioFormat(
        sample_rate=sample_rate,
        n_channels=n_channels,
        subtype="PCM_16",
        container="WAV",
        note=header.note,
    )
    check_format(audio_format, name)
    n_frames = header.n_bytes // (2 * n_channels)
    if n_frames > max_frames(audio_format):
        raise too_long(name)
    pcm = np.frombuffer(content, "<i2", n_frames * n_channels, header.start)
    return pcm.reshape(-1, n_channels) * np.float32(2**-15), audio_format


def to_wav(waveform: Waveform, sample_rate: int) -> bytes:
    """A mono 16-bit WAV file of `waveform`, (n_samples,) in [-1, 1)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, waveform, sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
