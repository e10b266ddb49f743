"""Recognise recordings by file ending or, under an unknown ending, by the first bytes."""

from __future__ import annotations

import enum
from pathlib import Path, PurePath


class Kind(enum.Enum):
    """Kind of a file, judged from its name and first bytes."""

    SOUND = "sound that libsndfile reads"
    FOREIGN = "sound or film that only other programs read"
    OTHER = "no sound"


def _endings(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SOUND_ENDINGS = _endings(
    "wav wave bwf rf64 w64 flac ogg oga opus mp3 mp2 aif aiff aifc au snd caf voc sph nist "
    "ircam avr paf pvf htk 8svx sd2 wve"
)
_HEADERLESS_ENDINGS = _endings("raw pcm")
_FOREIGN_ENDINGS = _HEADERLESS_ENDINGS | _endings(
    "m4a m4b mp4 m4v m4r qta mov aac adts wma asf amr awb 3gp 3gpp 3ga 3g2 webm weba mka mkv avi "
    "mpg mpeg ape wv tta ac3 eac3 dts spx gsm dsf dff ra rm alac aax qcp"
)
_SOUND_STARTS = (
    b"fLaC",
    b"OggS",
    b".snd",
    b"caff\0",
    b"ID3\2",
    b"ID3\3",
    b"ID3\4",
    b"\xff\xfb",  # MPEG layer III without a tag, protected or not, of either version
    b"\xff\xfa",
    b"\xff\xf3",
    b"\xff\xf2",
    b"NIST_1A",
    b"Creative Voice",
    b"riff\x2e\x91\xcf\x11",  # W64
)
_SOUND_FORMS = {b"WAVE", b"AIFF", b"AIFC", b"8SVX"}  # in RIFF, RIFX, RF64 and FORM files
_FOREIGN_STARTS = (
    b"#!AMR",
    b"wvpk",
    b"\x1aE\xdf\xa3",  # Matroska, WebM
    b"0&\xb2u\x8ef\xcf\x11",  # ASF: WMA
)
_MISTAKEN_STARTS = (
    b"\xff\xfe",  # UTF-16 text, which libsndfile mistakes for MPEG layer I
    b"\xff\xff",
    b"\xf0\x7e",  # MIDI sample dumps: a damaged one takes seconds and prints thousands of lines
)
_PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"crx "}


def kind_of(path: Path) -> Kind:
    """The kind of the regular file at `path`."""
    ending = path.suffix.lower().lstrip(".")
    if ending in _SOUND_ENDINGS:
        return Kind.SOUND
    if ending in _FOREIGN_ENDINGS:
        return Kind.FOREIGN
    with path.open("rb") as file:
        return _kind_of_content(file.read(16))


def _kind_of_content(head: bytes) -> Kind:
    if head.startswith(_SOUND_STARTS):
        return Kind.SOUND
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"FORM"):
        if head[8:12] == b"AVI ":
            return Kind.FOREIGN
        return Kind.SOUND if head[8:12] in _SOUND_FORMS else Kind.OTHER
    is_mpeg4 = head[4:8] == b"ftyp" and head[8:12] not in _PICTURE_BRANDS
    return Kind.FOREIGN if is_mpeg4 or head.startswith(_FOREIGN_STARTS) else Kind.OTHER


def is_headerless(name: str) -> bool:
    """Whether a file of this name holds raw samples without a header."""
    return PurePath(name).suffix.lower().lstrip(".") in _HEADERLESS_ENDINGS


def is_mistaken(content: bytes) -> bool:
    """Whether `content` is not a recording but libsndfile would read it as one."""
    return content.startswith(_MISTAKEN_STARTS)
