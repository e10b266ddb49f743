"""Everything that is measured of one detector, as stages ask for it."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spoken_digits import errors
from spoken_digits.embedded import host_detector, host_sliding, host_stream
from spoken_digits.errors import UserError
from spoken_digits.evaluation.detection import sliding, trial
from spoken_digits.evaluation.detection.material import Material
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.detection.running import Heard
from spoken_digits.evaluation.detection.streams import Stream
from spoken_digits.features.registry import integer_spec
from spoken_digits.integer.detector.event import Verdict
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.detector.specification import (
    CERTAIN,
    DetectorSpec,
    SlidingSpec,
    specify_sliding,
    why_not_sliding,
)
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.models.card import ModelCard

COMPILER = "gcc"
_FAST = ("-O3", "-march=native") if platform.machine() == "x86_64" else ("-O3",)


@dataclass(frozen=True, kw_only=True)
class Examinee:
    """A model with its front-end, in NumPy and, where there is a compiler, in C."""

    recogniser: trial.Recogniser
    network: IntegerGraph
    frontend: Spec
    firmware: Path
    """Folder of the C sources."""

    def in_c(self, spec: DetectorSpec, folder: Path) -> host_detector.HostDetector | None:
        """The detector in C; None, and a note, where there is no compiler."""
        if shutil.which(COMPILER) is None:
            errors.warn(f"{COMPILER} is not installed: the detector in C is not compared")
            return None
        library = host_stream.build_host_library(
            self.firmware, spec, self.network, self.frontend, folder
        )
        return host_detector.HostDetector(library)

    def sliding_in_c(self, spec: SlidingSpec, folder: Path) -> host_sliding.HostSliding | None:
        """The sliding window in C, made for this machine; None where there is no compiler."""
        if shutil.which(COMPILER) is None:
            return None
        library = host_stream.build_host_library(
            self.firmware, spec, self.network, self.frontend, folder, flags=_FAST
        )
        return host_sliding.HostSliding(library, spec)


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """What came out of a sliding window."""

    threshold: float
    metrics: dict[str, Any]
    """Those under `sliding`."""
    curve: list[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came out."""

    temperature: float
    threshold: float
    metrics: dict[str, Any]
    """As in metrics/detector.json, for one model."""
    curve: list[dict[str, float]]
    """A row a threshold."""
    sliding: Sliding | None
    """None where the model cannot listen so."""


def examinee(card: ModelCard, network: IntegerGraph, firmware: Path) -> Examinee:
    """A model and what its card says of it."""
    frontend = integer_spec(card.features)
    return Examinee(
        recogniser=trial.Recogniser(
            labels=card.labels,
            logit_step=network.logit_step,
            sample_rate=frontend.sample_rate,
            recognise=lambda clips: network.logits(*extraction.extract(clips, frontend)),
        ),
        network=network,
        frontend=frontend,
        firmware=firmware,
    )


def specified(
    recogniser: trial.Recogniser,
    detector: DetectorParams,
    temperature: float = 1.0,
    threshold: float = 0.0,
) -> DetectorSpec:
    """The integers of a detector; an error names the key of params.yaml."""
    try:
        return recogniser.specify(detector, temperature, threshold)
    except ValueError as error:
        raise UserError(f"params.yaml: {str(error).replace('`', '`detector.', 1)}") from None


def examine(
    model: Examinee,
    detector: DetectorParams,
    params: DetectParams,
    validation: Material,
    test: Material,
    seed: int,
) -> Report:
    """Calibrate on the validation material, then test.

    Raises
    ------
    UserError
        Integers cannot hold a parameter, or none of the validation words is found.
    """
    recogniser, rate = model.recogniser, model.frontend.sample_rate
    specified(recogniser, detector)
    streams = trial.speech_streams(validation, params, rate, seed, "validation")
    temperature, threshold = trial.calibrate(recogniser, detector, params, streams)
    spec = specified(recogniser, detector, temperature, threshold / CERTAIN)
    streams = trial.speech_streams(test, params, rate, seed, "test")
    streams |= trial.backgrounds_of(test, params, rate, seed)
    with tempfile.TemporaryDirectory(prefix="detector-") as folder:
        in_c = model.in_c(spec, Path(folder))
        heard = trial.run(recogniser, spec, streams.values(), in_c)
    found = trial.metrics(heard, spec.threshold, rate)
    found["temperature"] = temperature
    found["differences_c"] = None if in_c is None else n_differences(heard.values())
    slid = _slide(model, detector, params, spec, temperature, validation, streams, seed)
    return Report(
        temperature=temperature,
        threshold=spec.threshold / CERTAIN,
        metrics=found,
        curve=trial.curve(heard, rate),
        sliding=slid,
    )


def slides(model: Examinee, detector: DetectorParams) -> bool:
    """Whether a sliding window is examined too."""
    return detector.sliding is not None and not why_not_sliding(
        model.recogniser.labels, model.frontend
    )


def _slide(
    model: Examinee,
    detector: DetectorParams,
    params: DetectParams,
    endpointing: DetectorSpec,
    temperature: float,
    validation: Material,
    streams: Mapping[str, Stream],
    seed: int,
) -> Sliding | None:
    """The same for a sliding window, at the same temperature; None where the model has none."""
    if detector.sliding is None or not slides(model, detector):
        return None
    recogniser = model.recogniser
    try:
        spec = specify_sliding(
            detector.sliding,
            model.frontend,
            labels=recogniser.labels,
            logit_step=recogniser.logit_step,
            temperature=temperature,
            threshold=endpointing.threshold / CERTAIN,
        )
    except ValueError as error:
        raise UserError(f"params.yaml: {str(error).replace('`', '`detector.', 1)}") from None
    others = trial.others_to_validate(validation, params, spec.sample_rate, seed)
    with tempfile.TemporaryDirectory(prefix="sliding-") as folder:
        in_c = model.sliding_in_c(spec, Path(folder))

        def hear(stream: Stream) -> sliding.Windows:
            return sliding.hear(stream, spec, recogniser.recognise, in_c)

        if others:
            n_most = _false_accepts(recogniser, endpointing, others.values())
            chosen = sliding.threshold([hear(stream) for stream in others.values()], spec, n_most)
            spec = replace(spec, threshold=chosen)
        windows = {kind: hear(stream) for kind, stream in streams.items()}
    found = sliding.metrics(windows, spec)
    found["judged_by"] = "numpy" if in_c is None else "c"
    found["differences_c"] = None if in_c is None else n_differences(windows.values())
    return Sliding(
        threshold=spec.threshold / CERTAIN, metrics=found, curve=sliding.curve(windows, spec)
    )


def _false_accepts(
    recogniser: trial.Recogniser, spec: DetectorSpec, streams: Iterable[Stream]
) -> int:
    """Words that the detector reports where nobody says one."""
    heard = trial.run(recogniser, spec, streams, None).values()
    return sum(event.verdict is Verdict.WORD for one in heard for event in one.events)


def n_differences(heard: Iterable[Heard | sliding.Windows]) -> int:
    """Events that differ between NumPy and C."""
    return sum(one.n_differences for one in heard)
