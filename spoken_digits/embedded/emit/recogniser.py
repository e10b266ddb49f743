"""Emit a whole recogniser as C: the ``const sd_model`` that ties network and front-end together.

``firmware/sd_recogniser.h`` describes it. ``model.h`` gives the model of an application names that
are the same for every model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from spoken_digits.embedded.emit import graph as c_graph
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec
from spoken_digits.integer.frontend.specification import FFT_POINTS, WINDOW_SAMPLES
from spoken_digits.integer.graph import IntegerGraph

ALIAS = "model.h"
"""The header that an application includes."""

CEPSTRUM_MAX_MELS = 40
"""``SD_CEPSTRUM_MAX_MELS`` of firmware/sd_frontend.h."""


def check(network: IntegerGraph, spec: Spec) -> None:
    """Refuse a front-end that is not the network's.

    Raises
    ------
    ValueError
        The network cannot read its features.
    """
    if network.any_length == isinstance(spec, LogMelSpec):
        length = "any length" if network.any_length else "one length"
        raise ValueError(
            f"no recogniser joins a network of clips of {length} and {type(spec).__name__}: "
            "cepstra come in clips of any length, log-mel bands in words of one"
        )
    if spec.n_features != network.n_inputs:
        raise ValueError(
            f"{spec.n_features} features a frame, the network takes {network.n_inputs}"
        )
    if spec.n_frames > network.n_frames or not (
        network.any_length or spec.n_frames == network.n_frames
    ):
        raise ValueError(f"{spec.n_frames} frames a word, the network takes {network.n_frames}")


def sources(network: IntegerGraph) -> list[str]:
    """C files of the recogniser; excludes those of front-end and network."""
    hearing = "sd_by_frame.c" if network.any_length else "sd_by_word.c"
    return ["sd_recogniser.c", hearing]


def model_id(network: IntegerGraph, spec: Spec, labels: list[str]) -> int:
    """32 bits of a digest of everything that decides what the recogniser answers."""
    digest = hashlib.sha256()

    def add(content: bytes) -> None:
        digest.update(len(content).to_bytes(8, "little") + content)

    for text in (type(network).__name__, network.scheme, spec.fingerprint(), *labels):
        add(text.encode())
    for name, array in sorted(network.arrays().items()):
        add(name.encode())
        add(f"{array.dtype.str} {array.shape}".encode())
        add(array.tobytes())
    return int.from_bytes(digest.digest()[:4], "little")


def c_files(network: IntegerGraph, spec: Spec, name: str, labels: list[str]) -> dict[str, str]:
    """Header and source that define the ``const sd_model`` called ``<name>_model``, and `ALIAS`.

    They include ``<name>.h`` and ``<name>_frontend.h``, of the other modules here.

    Parameters
    ----------
    network, spec
        What hears and how.
    name
        That of the network in C.
    labels
        (n_classes,) the words.

    Returns
    -------
    dict
        File name to text.

    Raises
    ------
    ValueError
        Front-end and network do not match.
    """
    check(network, spec)
    return {
        f"{name}_model.h": _header(network, spec, name, labels),
        f"{name}_model.c": _source(network, name),
        ALIAS: _alias(name),
    }


def ram_bytes(network: IntegerGraph, spec: Spec) -> dict[str, int]:
    """Bytes of the two types that an application holds, with 32-bit pointers."""
    frontend = FRONTEND_BYTES
    graph = c_graph.layout(network).n_bytes
    if network.any_length:
        scratch = aligned(8 * FFT_POINTS + 2 * CEPSTRUM_MAX_MELS, 4)
        memory = frontend + scratch + graph + spec.n_features
    else:
        kept = spec.n_frames * spec.n_features
        listening = aligned(2 * kept, 4) + 8 * FFT_POINTS + frontend
        answering = graph + spec.n_features
        memory = aligned(WORD_BYTES + kept, 4) + aligned(max(listening, answering), 4)
    return {"memory": aligned(memory, 8), "recogniser": _RECOGNISER_BYTES}


WORD_BYTES, FRONTEND_BYTES = 40, 2 * WINDOW_SAMPLES + 8
"""Of an ``sd_word`` and an ``sd_frontend``, with 32-bit pointers."""
_RECOGNISER_BYTES = 12


def aligned(n_bytes: int, alignment: int) -> int:
    """Bytes up to the next whole number of `alignment`."""
    return -(-n_bytes // alignment) * alignment


def _header(network: IntegerGraph, spec: Spec, name: str, labels: list[str]) -> str:
    upper = f"{name}_model".upper()
    return f"""/* The recogniser {name}: network and front-end as one. Generated: do not edit. */
#ifndef {upper}_H
#define {upper}_H

#include "{name}.h"
#include "{name}_frontend.h"
#include "sd_recogniser.h"

/* Digest of all that decides its results; for sd_recogniser_init. */
#define {upper}_ID 0x{model_id(network, spec, labels):08X}u

#ifdef __cplusplus
extern "C" {{
#endif

{_memory(network, name)}
extern const sd_model {name}_model;

#ifdef __cplusplus
}}
#endif

#endif
"""


def _memory(network: IntegerGraph, name: str) -> str:
    """The type of the memory of a recogniser."""
    upper = name.upper()
    if not network.any_length:
        parts = f"""\
    sd_word word;
    {name}_word_kept kept;
    union {{
        struct {{ /* from the first sample to the last */
            {name}_word_recent recent;
            sd_complex spectrum[SD_FFT_POINTS];
            sd_frontend frontend;
        }} listening;
        struct {{ /* then */
            {name}_memory graph;
            int8_t features[{upper}_N_INPUTS];
        }} answering;
    }} shared;
"""
    else:
        parts = f"""\
    sd_frontend frontend;
    sd_frontend_scratch scratch;
    {name}_memory graph;
    int8_t features[{upper}_N_INPUTS];
"""
    indented = "".join(f"    {line}\n" for line in parts.splitlines())
    return f"""/* All the RAM of the recogniser, but for the sd_recogniser. */
typedef union {{
    uint64_t alignment;
    struct {{
{indented}    }} parts;
}} {name}_recogniser_memory;
"""


def _source(network: IntegerGraph, name: str) -> str:
    if not network.any_length:
        hearing, kind = "sd_by_word", "sd_word_parts"
        where = {
            "word": "word",
            "kept": "kept.features",
            "recent": "shared.listening.recent.logs",
            "spectrum": "shared.listening.spectrum",
            "frontend": "shared.listening.frontend",
            "graph": "shared.answering.graph",
            "features": "shared.answering.features",
        }
    else:
        hearing, kind = "sd_by_frame", "sd_frame_parts"
        where = {part: part for part in ("frontend", "scratch", "features", "graph")}
    model, memory = f"const sd_model {name}_model", f"{name}_recogniser_memory"
    return f"""/* The recogniser of {name}_model.h. Generated: do not edit. */
#include "{name}_model.h"

{definition(model, name, memory, hearing, kind, where)}"""


def definition(
    declared: str, name: str, memory: str, hearing: str, parts: str, where: Mapping[str, str]
) -> str:
    """C that defines an ``sd_model`` for a memory of its own layout.

    Parameters
    ----------
    declared
        What is defined, such as ``const sd_model digits_model``.
    name
        Of the network in C.
    memory
        Type of all the RAM, with a member ``parts``.
    hearing
        The ``sd_hearing`` that works in it.
    parts, where
        Type of the places it needs, and the member of the memory in each of its fields.
    """
    return f"""#include <stddef.h>

#define AT(part) ((uint32_t)offsetof({memory}, parts.part))

static const {parts} parts = {{
{_fields(where)}}};

{declared} = {{
    SD_ABI,
    {name.upper()}_MODEL_ID,
    &{hearing},
    &{name}_frontend,
    &{name},
    &parts,
    {name}_labels,
    (uint32_t)sizeof({memory}),
    {name.upper()}_N_CLASSES,
}};
"""


def _fields(where: Mapping[str, str]) -> str:
    return "".join(f"    AT({member}), /* {part} */\n" for part, member in where.items())


def _alias(name: str) -> str:
    upper = name.upper()
    return f"""/* The model of this application, under names that no other model changes.
 * Generated: do not edit. */
#ifndef MODEL_H
#define MODEL_H

#include "{name}_model.h"

#define MODEL {name}_model
#define MODEL_ID {upper}_MODEL_ID
#define MODEL_MEMORY {name}_recogniser_memory
#define MODEL_N_CLASSES {upper}_N_CLASSES
#define MODEL_LABELS {name}_labels
#define MODEL_SAMPLE_RATE {upper}_FRONTEND_SAMPLE_RATE

#endif
"""
