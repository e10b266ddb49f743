"""``manifest.json`` of an exported folder: what a program needs to know of the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from spoken_digits.embedded.emit import sliding as c_sliding
from spoken_digits.embedded.emit.recogniser import model_id, ram_bytes
from spoken_digits.embedded.package.listening import ram_bytes as detector_ram_bytes
from spoken_digits.embedded.package.model import Model
from spoken_digits.integer.detector.specification import CERTAIN, SlidingSpec
from spoken_digits.rejection.labels import NOT_WORDS

FILE = "manifest.json"
FORMAT = 1
"""Raised when a key changes its meaning or goes; a new key does not raise it."""

_MEASURED = {
    "recogniser_flash": "recogniser_flash_bytes",
    "stack": "stack_bytes",
    "stack_bound": "stack_bound_bytes",
}


def text(model: Model, *, measured: Mapping[str, Any], abi: int, files: Mapping[str, bytes]) -> str:
    """The file, in JSON.

    Parameters
    ----------
    model
        What is exported, by its name in `files`.
    measured
        Figures of the recogniser; those that are missing are left out.
    abi
        Of the C sources: ``SD_ABI``.
    files
        All others in the folder, by path.
    """
    network, spec, detector, provenance = (
        model.network,
        model.spec,
        model.detector,
        model.provenance,
    )
    slides = {} if model.sliding is None else {"sliding": _sliding(model.sliding)}
    hop, rate = spec.hop_length, spec.sample_rate
    content = {
        "format": FORMAT,
        "name": model.name,
        "versions": {"project": model.project.version, "abi": abi},
        "licences": {
            "code": model.project.licence,
            "weights_and_golden_clips": provenance.get("corpus_licence"),
        },
        "model": {
            "id": f"0x{model_id(network, spec, list(model.labels)):08X}",
            "sha256": provenance.get("model_sha256"),
            "name": provenance.get("model"),
            "scheme": network.scheme,
            "corpus": provenance.get("corpus"),
            "synthetic": provenance.get("synthetic"),
        },
        "labels": list(model.labels),
        "not_words": [label for label in model.labels if label in NOT_WORDS],
        "sample_rate_hz": rate,
        "frontend": {
            "fingerprint": spec.fingerprint(),
            "frame_step_samples": hop,
            "frame_step_ms": 1000 * hop / rate,
            "most_frames": spec.n_frames,
        },
        "detector": {
            "threshold": detector.threshold / CERTAIN,
            "frame_samples": detector.endpoint.frame_length,
            "frame_ms": 1000 * detector.endpoint.frame_length / rate,
        },
        **slides,
        # Of 32-bit processors.
        "bytes": {
            "parameters": network.parameter_bytes(),
            "recogniser_ram": sum(ram_bytes(network, spec).values()),
            "detector_ram": sum(detector_ram_bytes(detector).values()),
            **_sliding_ram(model),
            **{key: measured[found] for key, found in _MEASURED.items() if found in measured},
        },
        "files": {path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _sliding(spec: SlidingSpec) -> dict[str, float]:
    return {
        "threshold": spec.threshold / CERTAIN,
        "window_samples": spec.window,
        "step_samples": spec.step,
        "smoothed_windows": spec.n_smoothed,
    }


def _sliding_ram(model: Model) -> dict[str, int]:
    """Of the sliding window, which needs no recogniser beside it."""
    if model.sliding is None:
        return {}
    return {
        "sliding_ram": sum(c_sliding.ram_bytes(model.sliding, model.network, model.spec).values())
    }
