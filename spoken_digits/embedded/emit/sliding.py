"""Emit a sliding window as C: the ``const sd_sliding_spec`` of one model, and the memory it takes.

``firmware/sd_sliding.h`` describes it; `ALIAS` gives it names that are the same for every model.
"""

from __future__ import annotations

from collections.abc import Sequence

from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.integer.detector.specification import SlidingSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.frontend.specification import FFT_POINTS
from spoken_digits.integer.graph import IntegerGraph

ALIAS = "sliding.h"
"""The header that an application includes."""

SOURCES = ("sd_sliding.c",)
"""C files of a sliding window, beside those of its recogniser."""

_WHERE = {
    "word": "word",
    "kept": "kept.features",
    "recent": "recent.logs",
    "spectrum": "shared.spectrum",
    "frontend": "frontend",
    "graph": "shared.answering.graph",
    "features": "shared.answering.features",
}


def c_files(
    spec: SlidingSpec, network: IntegerGraph, frontend: Spec, name: str, labels: Sequence[str]
) -> dict[str, str]:
    """Header and source that define ``<name>_sliding``, and `ALIAS`: file name to text.

    Parameters
    ----------
    spec
        What to emit.
    network, frontend, name, labels
        The recogniser, as for `emit.recogniser.c_files`.

    Raises
    ------
    ValueError
        The window is not for this recogniser.
    """
    c_detector.check(spec, network, frontend)
    stem = f"{name}_sliding"
    return {
        f"{stem}.h": _header(spec, name, stem, len(labels)),
        f"{stem}.c": _source(spec, name, stem),
        ALIAS: _alias(name, stem),
    }


def ram_bytes(spec: SlidingSpec, network: IntegerGraph, frontend: Spec) -> dict[str, int]:
    """Bytes of the two types that an application holds, with 32-bit pointers."""
    n_features, n_classes = frontend.n_frames * frontend.n_features, len(spec.silent)
    answering = c_graph.layout(network).n_bytes + frontend.n_features
    memory = (
        c_recogniser.aligned(c_recogniser.WORD_BYTES + n_features, 2)
        + 2 * n_features
        + c_recogniser.FRONTEND_BYTES
        + c_recogniser.aligned(max(8 * FFT_POINTS, answering), 4)
        + (4 + 4 + 2 * spec.n_smoothed) * n_classes
    )
    return {"memory": c_recogniser.aligned(memory, 8), "sliding": _SLIDING_BYTES}


_SLIDING_BYTES = 56


def _header(spec: SlidingSpec, name: str, stem: str, n_classes: int) -> str:
    upper = stem.upper()
    return f"""/* The sliding window {stem}. Generated: do not edit. */
#ifndef {upper}_H
#define {upper}_H

#include "{name}_model.h"
#include "sd_sliding.h"

#define {upper}_WINDOW_SAMPLES {spec.window}u
#define {upper}_STEP_SAMPLES {spec.step}u
#define {upper}_N_SMOOTHED {spec.n_smoothed}
#define {upper}_THRESHOLD {spec.threshold}u /* of SD_CERTAIN */

#ifdef __cplusplus
extern "C" {{
#endif

/* All the RAM of the sliding window, but for the sd_sliding. */
typedef union {{
    uint64_t alignment;
    struct {{
        sd_word word;
        {name}_word_kept kept;
        {name}_word_recent recent;
        sd_frontend frontend;
        union {{
            sd_complex spectrum[SD_FFT_POINTS]; /* with each frame */
            struct {{ /* with each window */
                {name}_memory graph;
                int8_t features[{name.upper()}_N_INPUTS];
            }} answering;
        }} shared;
        int32_t logits[{n_classes}];
        int32_t sums[{n_classes}];
        uint16_t probabilities[{upper}_N_SMOOTHED * {n_classes}];
    }} parts;
}} {stem}_memory;

extern const sd_sliding_spec {stem};

#ifdef __cplusplus
}}
#endif

#endif
"""


def _source(spec: SlidingSpec, name: str, stem: str) -> str:
    silent = ", ".join(str(int(flag)) for flag in spec.silent)
    model = c_recogniser.definition(
        "static const sd_model model", name, f"{stem}_memory", "sd_by_word", "sd_word_parts", _WHERE
    )
    return f"""/* The sliding window of {stem}.h. Generated: do not edit. */
#include "{stem}.h"

{model}
static const uint8_t silent[{len(spec.silent)}] = {{{silent}}};

const sd_sliding_spec {stem} = {{
    &model,
{c_detector.confidence(spec)}    {stem.upper()}_WINDOW_SAMPLES,
    {stem.upper()}_STEP_SAMPLES,
    {spec.refractory}u, /* refractory */
    AT(logits),
    AT(sums),
    AT(probabilities),
    silent,
    {stem.upper()}_THRESHOLD,
    {stem.upper()}_N_SMOOTHED,
}};
"""


def _alias(name: str, stem: str) -> str:
    return f"""/* The sliding window of this application, under names that no other model changes.
 * Generated: do not edit. */
#ifndef SLIDING_H
#define SLIDING_H

#include "{stem}.h"

#define SLIDING {stem}
#define SLIDING_ID {name.upper()}_MODEL_ID
#define SLIDING_MEMORY {stem}_memory
#define SLIDING_LABELS {name}_labels
#define SLIDING_SAMPLE_RATE {name.upper()}_FRONTEND_SAMPLE_RATE

#endif
"""
