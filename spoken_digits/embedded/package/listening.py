"""The detector in an exported folder: its constants, an example, and golden events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit import sliding as c_sliding
from spoken_digits.integer.detector.detector import Detector
from spoken_digits.integer.detector.event import Event
from spoken_digits.integer.detector.specification import CERTAIN, DetectorSpec, SlidingSpec
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

_DETECTOR_BYTES = 80


def ram_bytes(detector: DetectorSpec) -> dict[str, int]:
    """Bytes of the two types that a detector takes beside its recogniser, with 32-bit pointers."""
    endpoint = detector.endpoint
    kept = 2 * endpoint.ring_frames * endpoint.frame_length + 4 * len(detector.silent)
    return {"memory": kept, "detector": _DETECTOR_BYTES}


def golden_events(
    detector: DetectorSpec,
    network: IntegerGraph,
    frontend: Spec,
    clips: Sequence[NDArray[np.int16]],
) -> list[Event]:
    """What the detector hears in the clips, a second of silence before each and after the last."""
    silence = np.zeros(detector.sample_rate, np.int16)
    stream = np.concatenate([part for clip in clips for part in (silence, clip)] + [silence])
    listener = Detector(
        detector, lambda heard: network.logits(*extraction.extract(heard, frontend))
    )
    return listener.hear(stream)


def golden_files(events: Sequence[Event]) -> dict[str, str]:
    """``golden_events.h`` and ``golden_events.c``."""
    rows = "".join(
        f"    {{{e.start}u, {e.end}u, {e.decided}u, {e.verdict:d}u, {e.word}, {e.confidence}u}},\n"
        for e in events
    )
    nothing = "    {0u, 0u, 0u, 0u, -1, 0u}, /* none is expected: C has no empty array */\n"
    return {
        "golden_events.h": _HEADER.format(n_events=len(events), n_rows=max(1, len(events))),
        "golden_events.c": _SOURCE.format(rows=rows or nothing),
    }


def readme(detector: DetectorSpec, name: str) -> str:
    """The README's section on listening."""
    ram = ram_bytes(detector)
    return f"""## Listening to a stream

`detector.h` adds a detector: samples in, events out, for as long as there is sound. It hands each
stretch of sound to the recogniser, and reports a word if its confidence reaches
{detector.threshold / CERTAIN:.4f}. It takes {ram["memory"]:,} bytes for the last moments of sound
(`{name}_detector_memory`) and {ram["detector"]} for the `sd_detector`.

```c
#include "detector.h"

static sd_detector detector;
static DETECTOR_MEMORY kept;

status = sd_detector_init(&detector, &DETECTOR, &recogniser, kept.samples, kept.logits);
while (n > 0) {{ /* each block of samples */
    uint32_t taken;
    sd_event event;
    status = sd_detector_hear(&detector, block, n, &taken, &event);
    if (status != SD_OK) {{
        break; /* nothing was taken */
    }}
    block += taken;
    n -= taken;
    if (event.verdict == SD_WORD) {{
        /* MODEL.labels[event.word], said from event.start to event.end */
    }}
}}
```

`examples/host/listen.c` is a whole program: `make listen`, then samples on its standard input.
`engine/sd_ring.h` passes samples from an interrupt to the main loop."""


def sliding_readme(spec: SlidingSpec, network: IntegerGraph, frontend: Spec, name: str) -> str:
    """The README's section on the sliding window."""
    ram = c_sliding.ram_bytes(spec, network, frontend)
    step_ms, window_ms = (1000 * n / spec.sample_rate for n in (spec.step, spec.window))
    return f"""## Listening through a sliding window

`sliding.h` finds words over other talkers, where the detector hears one endless sound. Every
{step_ms:g} ms it asks the network about the last {window_ms:g} ms, whatever their level, and
reports a word where the mean probability of {spec.n_smoothed} windows reaches
{spec.threshold / CERTAIN:.4f}. The network runs {1000 / step_ms:g} times a second: for processors
that can afford it. It takes {ram["memory"]:,} bytes (`{name}_sliding_memory`) and
{ram["sliding"]} for the `sd_sliding`, and no recogniser beside. An application that does not call
it links none of it.

```c
#include "sliding.h"

static sd_sliding sliding;
static SLIDING_MEMORY memory;

status = sd_sliding_init(&sliding, &SLIDING, SLIDING_ID, &memory, sizeof memory);
while (n > 0) {{ /* each block of samples */
    uint32_t taken;
    sd_event event;
    status = sd_sliding_hear(&sliding, block, n, &taken, &event);
    if (status != SD_OK) {{
        break; /* nothing was taken */
    }}
    block += taken;
    n -= taken;
    if (event.verdict == SD_WORD) {{
        /* SLIDING_LABELS[event.word], said between event.start and event.end */
    }}
}}
```"""


_SOURCE = """\
/* Generated: do not edit. */
#include "golden_events.h"

const golden_event golden_events[GOLDEN_N_EVENT_ROWS] = {{
{rows}}};
"""

_HEADER = """\
/* What the detector in detector.h hears in the golden clips, by its Python twin. Generated. */
#ifndef GOLDEN_EVENTS_H
#define GOLDEN_EVENTS_H

#include <stdint.h>

#define GOLDEN_N_EVENTS {n_events}u
#define GOLDEN_N_EVENT_ROWS {n_rows}u

#ifdef __cplusplus
extern "C" {{
#endif

typedef struct {{
    uint32_t start, end, decided, verdict;
    int32_t word;
    uint32_t confidence;
}} golden_event;

extern const golden_event golden_events[GOLDEN_N_EVENT_ROWS];

#ifdef __cplusplus
}}
#endif

#endif
"""
