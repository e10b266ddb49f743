"""Export a network for firmware engineers: one small, self-contained folder of C.

Front-end, network, their constants, a worked example, golden vectors to check a port with, and
a Makefile. The same network gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import host_frontend, host_network
from spoken_digits.embedded.emit import network as c_network
from spoken_digits.embedded.emit import tables as c_tables
from spoken_digits.embedded.emit.text import array, literal, string_literal
from spoken_digits.embedded.package.readme import Readme
from spoken_digits.errors import UserError
from spoken_digits.integer.frontend import frontend
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.integer.network import IntegerLSTM

FIRST_FRAMES = 2
"""Number of frames that a golden vector holds in full; its hash covers the rest."""

_HASH_START, _HASH_FACTOR = 2166136261, 16777619  # FNV-1a, 32 bits
_OWN_NAMES = {"golden", "main", "sd_model"}

Golden = tuple[str, NDArray[np.int16]]
"""Name and samples of a clip."""


def export_files(
    network: IntegerLSTM,
    spec: FrontendSpec,
    *,
    name: str,
    labels: Sequence[str],
    provenance: Mapping[str, object],
    golden: Sequence[Golden],
    firmware: Path,
    licence: str,
    measured: Mapping[str, int] | None = None,
) -> dict[str, bytes]:
    """Content of the folder.

    Parameters
    ----------
    network
        What to export.
    spec
        The front-end that computes its features.
    name
        Lower-case C identifier of the network and stem of its files, such as ``sd_digits``.
    labels
        (n_classes,) the words, in the order of the logits.
    provenance
        Facts about the model, printed one per line: corpus, its licence, accuracy.
        Must not hold a time or a path.
    golden
        A few short clips, at least one: (utterance, int16 samples at ``spec.sample_rate``).
    firmware
        Folder of the C sources.
    licence
        Text of the licence of the C sources.
    measured
        Figures for the README: ``flash_bytes``, ``stack_bytes``, ``instructions_m0``, ...

    Returns
    -------
    dict
        Path inside the folder, with ``/``, to content; sorted.

    Raises
    ------
    ValueError
        Front-end and network do not match, or there is no golden clip.
    UserError
        A C source is missing.
    """
    if spec.n_mfcc != network.n_inputs:
        raise ValueError(
            f"{spec.n_mfcc} coefficients a frame, the network takes {network.n_inputs}"
        )
    if not golden:
        raise ValueError("a golden clip is needed")
    sources = [
        *host_frontend.source_paths(firmware, spec),
        *host_network.source_paths(firmware, network.scheme),
    ]
    generated = c_tables.c_files(spec, name)
    shared = {path.name: _read(path) for path in sources}
    shared |= _headers(shared.values(), firmware, generated)
    if name in _OWN_NAMES | {Path(file).stem for file in shared}:
        raise ValueError(f"{name!r} is the name of another file in the folder")
    generated |= c_network.c_files(network, name, labels=labels, provenance=provenance)
    example = {"main.c": _named(_read(firmware / "example" / "main.c"), name)}
    example |= _golden_files(network, spec, name, golden)
    readme = Readme(
        network=network,
        spec=spec,
        name=name,
        labels=labels,
        provenance=provenance,
        utterances=[utterance for utterance, _ in golden],
        measured=measured or {},
    )
    texts = {f"{_folder(file)}/{file}": text for file, text in (shared | generated).items()}
    texts |= {f"example/{file}": text for file, text in example.items()}
    texts |= {"LICENSE": licence, "Makefile": _makefile(texts), "README.md": readme.text()}
    return {path: texts[path].encode() for path in sorted(texts)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: take it from the repository again") from None


def _folder(file: str) -> str:
    return "include" if file.endswith(".h") else "src"


def _headers(texts: Iterable[str], firmware: Path, generated: Mapping[str, str]) -> dict[str, str]:
    """The headers in `firmware` that `texts` include, directly or indirectly."""
    found: dict[str, str] = {}
    pending = list(texts)
    while pending:
        for header in re.findall(r'#include "([^"]+)"', pending.pop()):
            if header not in found and header not in generated:
                found[header] = _read(firmware / header)
                pending.append(found[header])
    return found


def _named(text: str, name: str) -> str:
    """Adapt an example written for a network called ``sd_model`` to the one called `name`."""
    return text.replace("SD_MODEL", name.upper()).replace("sd_model", name)


def _golden_files(
    network: IntegerLSTM, spec: FrontendSpec, name: str, golden: Sequence[Golden]
) -> dict[str, str]:
    """``golden.h`` and ``golden.c``: samples, and Python's results for them."""
    features, counts = frontend.extract([pcm for _, pcm in golden], spec)
    logits = network.logits(features, counts)
    arrays, entries = [], []
    for i, (utterance, pcm) in enumerate(golden):
        frames = features[i, : counts[i]]  # (n_frames, n_coefficients)
        stored = pcm if len(pcm) else np.zeros(1, np.int16)  # C has no empty array
        arrays.append(array("int16_t", f"pcm_{i}", stored))
        arrays.append(array("int8_t", f"frames_{i}", frames[:FIRST_FRAMES].reshape(-1)))
        logit_row = ", ".join(literal(int(value)) for value in logits[i])
        entries.append(
            f"    {{{string_literal(utterance)}, pcm_{i}, {len(pcm)}, {counts[i]},\n"
            f"     {fnv1a(frames.tobytes())}u, frames_{i},\n     {{{logit_row}}}}},\n"
        )
    header = _GOLDEN_HEADER.format(
        name=name,
        classes=f"{name.upper()}_N_CLASSES",
        n_clips=len(golden),
        first_frames=FIRST_FRAMES,
        start=_HASH_START,
        factor=_HASH_FACTOR,
    )
    source = (
        "/* Generated: do not edit. The samples are recordings from the corpus named in the\n"
        " * README, under that corpus's licence. */\n"
        '#include "golden.h"\n\n' + "\n".join(arrays) + "\n"
        f"const golden_clip golden_clips[GOLDEN_N_CLIPS] = {{\n{''.join(entries)}}};\n"
    )
    return {"golden.h": header, "golden.c": source}


def fnv1a(content: bytes) -> int:
    """32-bit FNV-1a hash."""
    value = _HASH_START
    for byte in content:
        value = (value ^ byte) * _HASH_FACTOR & 0xFFFFFFFF
    return value


def _makefile(paths: Iterable[str]) -> str:
    sources = sorted(path for path in paths if path.startswith("src/"))
    return _MAKEFILE.format(sources=" \\\n  ".join(sources))


_GOLDEN_HEADER = """\
/* Golden vectors of {name}: clips and the results of its Python twin. Generated. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdint.h>

#include "{name}.h"

#define GOLDEN_N_CLIPS {n_clips}u
#define GOLDEN_FIRST_FRAMES {first_frames}u
#define GOLDEN_HASH_START {start}u /* FNV-1a of all features, as bytes */
#define GOLDEN_HASH_FACTOR {factor}u

#ifdef __cplusplus
extern "C" {{
#endif

typedef struct {{
    const char *utterance;
    const int16_t *pcm;
    uint32_t n_samples;
    uint32_t n_frames;
    uint32_t features_hash;
    const int8_t *first_frames; /* at most GOLDEN_FIRST_FRAMES of them */
    int32_t logits[{classes}];
}} golden_clip;

extern const golden_clip golden_clips[GOLDEN_N_CLIPS];

#ifdef __cplusplus
}}
#endif

#endif
"""

_MAKEFILE = """\
# make check                                   build the example here, compare with golden vectors
# make objects size CC=arm-none-eabi-gcc SIZE=arm-none-eabi-size \\
#   CFLAGS='-mcpu=cortex-m0 -mthumb -Os -ffreestanding'      compile for a board, show sizes
CFLAGS ?= -O2
SIZE ?= size
BUILD ?= build

SOURCES = {sources}
EXAMPLE = example/main.c example/golden.c

C99 = -std=c99 -Wall -Wextra -Wconversion -pedantic -ffunction-sections -fdata-sections -Iinclude
OBJECTS = $(SOURCES:src/%.c=$(BUILD)/%.o)
EXAMPLE_OBJECTS = $(EXAMPLE:example/%.c=$(BUILD)/%.o)
HEADERS = $(wildcard include/*.h example/*.h)

.PHONY: check objects size clean force

check: $(BUILD)/example
	$(BUILD)/example

objects: $(OBJECTS)

size: $(OBJECTS)
	$(SIZE) -t $(OBJECTS)

clean:
	rm -rf $(BUILD)

$(BUILD)/example: $(OBJECTS) $(EXAMPLE_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(BUILD)/%.o: src/%.c $(HEADERS) $(BUILD)/command
	$(CC) $(C99) $(CFLAGS) -c $< -o $@

$(BUILD)/%.o: example/%.c $(HEADERS) $(BUILD)/command
	$(CC) $(C99) $(CFLAGS) -Iexample -c $< -o $@

# rebuild all if the compiler or flags change
$(BUILD)/command: force
	@mkdir -p $(BUILD)
	@echo '$(CC) $(C99) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(C99) $(CFLAGS)' > $@

force:
"""
