"""eSpeak NG in a process of its own: one speaker's utterances in, 16-bit samples out.

eSpeak NG is GPL-3.0-or-later, so it is kept out of the process that runs the pipeline: only this
module loads the library, and only when run as a program, as `say` does.

    python -m spoken_digits.corpora.espeak_worker  < request  > reply

request : one JSON object, ``folder`` (an empty folder with a short path, to work in) and
    ``utterances`` (a list of the fields of `Utterance`).
reply : for each utterance in turn the number of samples as a little-endian uint32, then that
    many little-endian int16 samples, mono, at `SAMPLE_RATE`.

To spell words instead, as `spell` does, the request has ``words`` and ``language``; the reply is a
JSON list of their phonemes.

The engine carries state from one utterance to the next, and reseeding does not clear it. So the
library is loaded afresh for each, which costs about 1 ms: the sound depends on the utterance
alone. Only the standard library is imported here, so that a process starts in 50 ms.
"""

from __future__ import annotations

import _ctypes
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SAMPLE_RATE = 22050
"""Samples a second that the engine makes."""

LANGUAGES = (
    "en",
    "en-us",
    "en-us-nyc",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
)
"""The accents of English that the engine can load (`en-gb` by itself fails)."""

MAX_FOLDER_LENGTH = 110
"""Longest path of the working folder, bytes: the engine keeps paths in buffers of 160."""

_COMMAND = (sys.executable, __file__)  # not -m: importing the whole package takes longer
_TIMEOUT_S = 600  # a speaker with 500 utterances takes about 1 s

_DATA_FILES = ("en_dict", "intonations", "phondata", "phonindex", "phontab")
_VOICE = "voice"  # name of the variant file that describes the speaker

# Values from eSpeak NG's speak_lib.h.
_OUTPUT_SYNCHRONOUS = 2
_NEVER_EXIT = 0x8000
_RATE, _PITCH, _PITCH_RANGE = 1, 3, 4
_POSITION_CHARACTER = 1
_CHARACTERS_UTF8 = 1
_IPA, _JOINED = 0x02, 1 << 7  # phonemes in the international alphabet; two of one sound joined
_JOINER = "^"

_SynthCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """What to say, and how."""

    text: str
    """The word, with the punctuation that shapes its melody."""
    language: str
    """One of `LANGUAGES`."""
    voice: str
    """A voice variant file as in https://github.com/espeak-ng/espeak-ng, docs/voices.md."""
    rate_wpm: int
    """Words a minute, 80 to 450."""
    pitch: int
    """0 to 100; 50 leaves the voice's own pitch."""
    pitch_range: int
    """0 (monotone) to 100."""
    seed: int
    """Seeds the engine's noise, 1 or more."""


class EngineError(Exception):
    """The engine's process failed; the text is the last it printed."""


def say(utterances: Sequence[Utterance], folder: Path) -> list[bytes]:
    """Samples of each utterance, from a fresh process.

    Parameters
    ----------
    utterances
        What to say.
    folder
        An empty folder to work in, its path at most `MAX_FOLDER_LENGTH` bytes long.

    Returns
    -------
    list of bytes
        Little-endian int16 samples, mono, at `SAMPLE_RATE`.

    Raises
    ------
    EngineError
        The process failed, hung, or left something unsaid.
    """
    request = {"folder": str(folder), "utterances": [asdict(u) for u in utterances]}
    said = list(_split(_ask(request)))
    if len(said) != len(utterances) or not all(any(samples) for samples in said):
        raise EngineError(f"only {sum(map(any, said))} of {len(utterances)} utterances came back")
    return said


def spell(words: Sequence[str], language: str, folder: Path) -> list[str]:
    """The phonemes of each word in the international alphabet; `^` joins two to one sound.

    Parameters
    ----------
    words
        Words, or phrases.
    language
        One of `LANGUAGES`.
    folder
        As of `say`.

    Raises
    ------
    EngineError
        The process failed, or hung.
    """
    request = {"folder": str(folder), "words": list(words), "language": language}
    reply: list[str] = json.loads(_ask(request))
    return reply


def _ask(request: Mapping[str, Any]) -> bytes:
    """The reply of a fresh process."""
    try:
        process = subprocess.run(
            _COMMAND,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"no answer in {_TIMEOUT_S} s") from None
    if process.returncode != 0:
        last_words = process.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EngineError(": ".join([f"exit status {process.returncode}", *last_words]))
    return process.stdout


def _split(reply: bytes) -> Iterator[bytes]:
    """The utterances that came back complete."""
    start = 0
    while start < len(reply):
        stop = start + 4 + 2 * int.from_bytes(reply[start : start + 4], "little")
        if stop <= len(reply):
            yield reply[start + 4 : stop]
        start = stop


def _prepare_data(source: Path, folder: Path) -> None:
    """Copy the engine's data for English to a folder with a short enough path."""
    data = folder / "espeak-ng-data"
    (data / "lang" / "gmw").mkdir(parents=True)
    (data / "voices" / "!v").mkdir(parents=True)
    for name in _DATA_FILES:
        shutil.copyfile(source / name, data / name)
    for language in sorted((source / "lang" / "gmw").glob("en*")):
        shutil.copyfile(language, data / "lang" / "gmw" / language.name)


def _load(library_path: str) -> Any:
    library = ctypes.CDLL(library_path)
    # Without these a size_t is passed as an int, and half of the register is undefined.
    library.espeak_Initialize.argtypes = [
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    library.espeak_SetSynthCallback.argtypes = [_SynthCallback]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    library.espeak_TextToPhonemes.argtypes = [
        ctypes.POINTER(ctypes.c_char_p),
        ctypes.c_int,
        ctypes.c_int,
    ]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return library


def _unload(library: Any) -> None:
    """Unload the library and its state; the standard library has no public function for it."""
    library.espeak_Terminate()
    if sys.platform == "win32":
        _ctypes.FreeLibrary(library._handle)
    else:
        _ctypes.dlclose(library._handle)


def _require(step: str, status: int, wanted: int = 0) -> None:
    if status != wanted:
        raise RuntimeError(f"eSpeak NG: {step} gave {status}, not {wanted}")


def _speak(library_path: str, folder: Path, utterance: Utterance) -> bytes:
    """Samples of one utterance, int16 mono at `SAMPLE_RATE`."""
    variant = folder / "espeak-ng-data" / "voices" / "!v" / _VOICE
    variant.write_text(utterance.voice, encoding="ascii", newline="\n")
    chunks: list[bytes] = []

    def keep(samples: Any, n_samples: int, events: Any) -> int:
        if samples and n_samples:
            chunks.append(ctypes.string_at(samples, 2 * n_samples))
        return 0

    callback = _SynthCallback(keep)  # must outlive the synthesis
    library = _load(library_path)
    try:
        path = os.fsencode(folder)
        sample_rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, path, _NEVER_EXIT)
        _require("start", sample_rate, SAMPLE_RATE)
        library.espeak_SetSynthCallback(callback)
        voice = f"{utterance.language}+{_VOICE}"
        _require(f"voice {voice}", library.espeak_SetVoiceByName(voice.encode()))
        library.espeak_SetParameter(_RATE, utterance.rate_wpm, 0)
        library.espeak_SetParameter(_PITCH, utterance.pitch, 0)
        library.espeak_SetParameter(_PITCH_RANGE, utterance.pitch_range, 0)
        library.espeak_ng_SetRandSeed(utterance.seed)
        text = utterance.text.encode() + b"\0"
        status = library.espeak_Synth(
            text, len(text), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
        )
        _require(f"saying {utterance.text!r}", status)
    finally:
        _unload(library)
    return b"".join(chunks)


def _phonemes(library_path: str, folder: Path, language: str, words: Sequence[str]) -> list[str]:
    """Phonemes of each word."""
    library = _load(library_path)
    try:
        path = os.fsencode(folder)
        sample_rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, path, _NEVER_EXIT)
        _require("start", sample_rate, SAMPLE_RATE)
        _require(f"voice {language}", library.espeak_SetVoiceByName(language.encode()))
        mode = _IPA | _JOINED | ord(_JOINER) << 8
        spelled = []
        for word in words:
            rest = ctypes.c_char_p(word.encode() + b"\0")
            parts = []
            while rest.value is not None:  # a clause at a time; at the end the engine sets NULL
                found = library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARACTERS_UTF8, mode)
                parts.append(found.decode())
            spelled.append(" ".join(parts))
        return spelled
    finally:
        _unload(library)


def main() -> None:
    """Answer one request; any error ends the process with its text on stderr."""
    import espeakng_loader  # imported here because it is an optional extra

    request = json.load(sys.stdin)
    folder = Path(request["folder"])
    _prepare_data(Path(espeakng_loader.get_data_path()), folder)
    library_path = espeakng_loader.get_library_path()
    if "words" in request:
        spelled = _phonemes(library_path, folder, request["language"], request["words"])
        sys.stdout.write(json.dumps(spelled))
        return
    for fields in request["utterances"]:
        samples = _speak(library_path, folder, Utterance(**fields))
        sys.stdout.buffer.write(struct.pack("<I", len(samples) // 2))
        sys.stdout.buffer.write(samples)


if __name__ == "__main__":
    main()
