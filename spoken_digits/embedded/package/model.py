"""What an exported folder is made of, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spoken_digits.embedded.package.templates import Project
from spoken_digits.integer.detector.specification import DetectorSpec, SlidingSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph


@dataclass(frozen=True, kw_only=True)
class Model:
    """A recogniser with all that is said of it."""

    network: IntegerGraph
    spec: Spec
    """The front-end that computes its features."""
    detector: DetectorSpec
    """When to listen and when to believe."""
    sliding: SlidingSpec | None = None
    """The same for a sliding window, where the model is made for one."""
    name: str
    """Lower-case C identifier of the network and stem of its files, such as ``sd_digits``."""
    labels: Sequence[str]
    """(n_classes,) the words, in the order of the logits."""
    provenance: Mapping[str, object]
    """Facts about the model, printed one per line: corpus, its licence, accuracy. Must not hold a
    time or a path."""
    project: Project
    """Version and licence that the packages name."""
