"""Emit a detector as C: the ``const sd_detector_spec`` of one model, and the memory it takes.

``firmware/sd_detector.h`` describes it; `ALIAS` gives it names that are the same for every model.
"""

from __future__ import annotations

from collections.abc import Sequence

from spoken_digits.embedded.emit.recogniser import model_id
from spoken_digits.integer.detector.specification import DecisionSpec, DetectorSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

ALIAS = "detector.h"
"""The header that an application includes."""

SOURCES = (
    "sd_detector.c",
    "sd_endpoint.c",
    "sd_confidence.c",
    "sd_ring.c",
    "sd_word_constants.c",
)
"""C files of a detector, beside those of its recogniser; the last may be among those."""

_ENDPOINT = (
    *("fall", "rise", "creep", "onset", "offset", "drop", "quietest", "frame_length"),
    *("onset_frames", "pre_roll", "post_roll", "hangover", "shortest", "longest", "ring_frames"),
)


def check(spec: DecisionSpec, network: IntegerGraph, frontend: Spec) -> None:
    """Refuse a detector that is not for this recogniser.

    Raises
    ------
    ValueError
        They differ in classes or sample rate.
    """
    if len(spec.silent) != network.n_classes:
        raise ValueError(
            f"a detector of {len(spec.silent)} classes, the network has {network.n_classes}"
        )
    if spec.sample_rate != frontend.sample_rate:
        raise ValueError(
            f"a detector for {spec.sample_rate} Hz, the front-end takes {frontend.sample_rate} Hz"
        )


def c_files(
    spec: DetectorSpec, network: IntegerGraph, frontend: Spec, name: str, labels: Sequence[str]
) -> dict[str, str]:
    """Header and source that define ``<name>_detector``, and `ALIAS`: file name to text.

    Parameters
    ----------
    spec
        What to emit.
    network, frontend, name, labels
        The recogniser, as for `emit.recogniser.c_files`.

    Raises
    ------
    ValueError
        The detector is not for this recogniser.
    """
    check(spec, network, frontend)
    stem = f"{name}_detector"
    identity = model_id(network, frontend, list(labels))
    return {
        f"{stem}.h": _header(spec, stem, len(labels)),
        f"{stem}.c": _source(spec, stem, identity),
        ALIAS: _alias(stem),
    }


def _header(spec: DetectorSpec, stem: str, n_classes: int) -> str:
    upper, endpoint = stem.upper(), spec.endpoint
    return f"""/* The detector {stem}. Generated: do not edit. */
#ifndef {upper}_H
#define {upper}_H

#include "sd_detector.h"

#define {upper}_SAMPLE_RATE {spec.sample_rate}u
#define {upper}_FRAME_SAMPLES {endpoint.frame_length}u
#define {upper}_RING_SAMPLES {endpoint.ring_frames * endpoint.frame_length}u
#define {upper}_THRESHOLD {spec.threshold}u /* of SD_CERTAIN */

#ifdef __cplusplus
extern "C" {{
#endif

/* What a detector keeps, beside the sd_detector. */
typedef struct {{
    int16_t samples[{upper}_RING_SAMPLES];
    int32_t logits[{n_classes}];
}} {stem}_memory;

extern const sd_detector_spec {stem};

#ifdef __cplusplus
}}
#endif

#endif
"""


def _source(spec: DetectorSpec, stem: str, identity: int) -> str:
    rows = {name: getattr(spec.endpoint, name) for name in _ENDPOINT}
    endpoint = "".join(f"        {value}, /* {name} */\n" for name, value in rows.items())
    silent = ", ".join(str(int(flag)) for flag in spec.silent)
    return f"""/* The detector of {stem}.h. Generated: do not edit. */
#include "{stem}.h"

static const uint8_t silent[{len(spec.silent)}] = {{{silent}}};

const sd_detector_spec {stem} = {{
    {{
{endpoint}    }},
{confidence(spec)}    0x{identity:08X}u,
    {spec.sample_rate}u,
    {spec.refractory}u, /* refractory */
    silent,
    {stem.upper()}_THRESHOLD,
    {len(spec.silent)},
}};
"""


def confidence(spec: DecisionSpec) -> str:
    """The initialiser of an ``sd_confidence_spec``."""
    return f"""    {{
        {spec.farthest}u, /* farthest */
        {spec.scale}, /* scale */
        {spec.scale_shift}, /* shift */
    }},
"""


def _alias(stem: str) -> str:
    return f"""/* The detector of this application, under names that no other model changes.
 * Generated: do not edit. */
#ifndef DETECTOR_H
#define DETECTOR_H

#include "{stem}.h"

#define DETECTOR {stem}
#define DETECTOR_MEMORY {stem}_memory

#endif
"""
