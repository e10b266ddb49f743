"""A trained float model as one ONNX file that tells all that its user needs, and its check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spoken_digits.errors import UserError
from spoken_digits.interchange.graph import FEATURES, LOGITS, N_FRAMES, Graph
from spoken_digits.interchange.networks import ARCHITECTURES
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import ModelCard

TOLERANCE = 1e-4
"""Largest difference allowed between a logit of ONNX Runtime and PyTorch's, relative to the
largest logit of the batch: both round float32, in another order."""

USAGE = """\
    session = onnxruntime.InferenceSession("{model}.onnx")
    about = session.get_modelmeta().custom_metadata_map   # key -> text
    extract = extractor_from(json.loads(about["features"]))
    features, n_frames = extract([samples])   # float32 in [-1, 1), about["sample_rate_hz"] a second
    logits, = session.run(["logits"], {{"features": features, "n_frames": n_frames}})
    word = json.loads(about["labels"])[logits[0].argmax()]

`about["features"]` describes the front-end, which is not part of the graph: features are made by
`spoken_digits.features.registry.extractor_from`, or by anything that computes the same: float32,
(clips, n_frames, n_coefficients), not normalised. `n_frames`: int32, (clips,), the valid frames of
each clip, at least 1; convolutional models ignore it."""
"""How to run a file, in Markdown."""

Real = NDArray[np.float32]


def require(*packages: str) -> None:
    """Refuse to go on without the packages.

    Raises
    ------
    UserError
        One is not installed.
    """
    import importlib

    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError:
            raise UserError(
                f"{package} is not installed: `make setup` installs it, or `pip install {package}`"
            ) from None


def facts(
    card: ModelCard, sample_rate: int, provenance: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, str]:
    """What the file says of the model: key -> text, JSON where it is no plain word.

    Parameters
    ----------
    card
        The card of the model file.
    sample_rate
        Hz, of the sound that the features are computed from.
    provenance
        data/raw/provenance.json.
    figures
        metrics/<model>.json; a ``threshold`` in it goes into the file.
    """
    kept = ("accuracy", "accuracy_ci_low", "accuracy_ci_high", "n_test")
    said = {
        "model": card.name,
        "labels": _json(card.labels),
        "sample_rate_hz": str(sample_rate),
        "features": _json(card.features),
        "input_shape": _json(list(card.input_shape)),
        "architecture": _json(card.architecture),
        "best_epoch": str(card.best_epoch),
        "corpus": f"{provenance['corpus']} {provenance['version']}".strip(),
        "corpus_licence": str(provenance["licence"]),
        "corpus_source": str(provenance["source"]),
        "corpus_fingerprint": str(provenance["fingerprint"]),
        "synthetic": _json(provenance["synthetic"]),
        "test": _json({key: figures[key] for key in kept if key in figures}),
        "usage": (
            f"{FEATURES}: as `features` says, not normalised; {N_FRAMES}: valid frames of each "
            f"clip, at least 1; {LOGITS}: before softmax, in the order of `labels`"
        ),
    }
    if "threshold" in figures:
        said["threshold"] = str(figures["threshold"])
    return said


def onnx_model(network: BaseNetwork, card: ModelCard, metadata: Mapping[str, str]) -> bytes:
    """The bytes of the file: the same for the same model.

    Raises
    ------
    KeyError
        The architecture is not among `ARCHITECTURES`.
    UserError
        The weights do not fit into one file, or the package onnx is missing.
    """
    require("onnx")
    from onnx import checker

    graph = Graph()
    x = graph.normalised(card.mean, card.std)
    ARCHITECTURES[card.architecture["name"]](graph, network.eval(), x)
    model = graph.model(card.name, ["clips", *card.input_shape], len(card.labels), metadata)
    content: bytes = model.SerializeToString(deterministic=True)
    checker.check_model(content)
    return content


def run(model: bytes, features: Real, n_frames: NDArray[np.integer[Any]]) -> Real:
    """Logits (n_clips, n_classes) of features (n_clips, n_frames, n_coefficients), one thread."""
    require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {FEATURES: features.astype(np.float32), N_FRAMES: n_frames.astype(np.int32)}
    (logits,) = session.run([LOGITS], feed)
    return np.asarray(logits, np.float32)


@torch.inference_mode()
def difference(
    model: bytes,
    network: nn.Module,
    card: ModelCard,
    features: Real,
    n_frames: NDArray[np.integer[Any]],
) -> float:
    """Largest difference of a logit between ONNX Runtime and PyTorch, by the largest logit.

    Parameters
    ----------
    features
        (n_clips, n_frames, n_coefficients), not normalised.
    n_frames
        (n_clips,) valid frames.

    Raises
    ------
    UserError
        It exceeds `TOLERANCE`, or a word differs.
    """
    x = card.normalise(torch.from_numpy(features))
    expected = network(x, torch.from_numpy(n_frames)).numpy()
    found = run(model, features, n_frames)
    largest = float(np.abs(found - expected).max() / np.abs(expected).max())
    differs = int((found.argmax(1) != expected.argmax(1)).sum())
    if not largest <= TOLERANCE or differs:
        raise UserError(
            f"{card.name}: ONNX Runtime's logits are {largest:.1e} from PyTorch's (allowed: "
            f"{TOLERANCE:.0e}), {differs} of {len(features)} words differ: "
            "please report this with your versions of onnx and onnxruntime"
        )
    return largest


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
