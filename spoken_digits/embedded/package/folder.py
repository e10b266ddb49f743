"""Export a network for firmware engineers: one small, self-contained folder of C.

Recogniser, front-end, network, their constants, a worked example, golden vectors to check a port
with, and a Makefile. The same network gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded import host_detector, host_recogniser
from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.emit.text import array, literal, string_literal
from spoken_digits.embedded.package import listening
from spoken_digits.embedded.package import prefix as prefixes
from spoken_digits.embedded.package.readme import Readme
from spoken_digits.errors import UserError
from spoken_digits.integer.detector.specification import DetectorSpec
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

_DECIMATOR = "sd_decimator.c"  # for the application: the recogniser does without

_OWN_NAMES = {"golden", "main", "model", "sd_model"}  # the last one is a type

Golden = tuple[str, NDArray[np.int16]]
"""Name and samples of a clip."""


def export_files(
    network: IntegerGraph,
    spec: Spec,
    *,
    name: str,
    labels: Sequence[str],
    provenance: Mapping[str, object],
    golden: Sequence[Golden],
    firmware: Path,
    licence: str,
    measured: Mapping[str, int] | None = None,
    proof: Mapping[str, Any] | None = None,
    detector: DetectorSpec | None = None,
    prefix: str = prefixes.DEFAULT,
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
    proof
        What :func:`spoken_digits.embedded.proof.record` says, or ``not_measured``: why nothing.
    detector
        When to listen and when to believe; None for a folder without a detector.
    prefix
        What every identifier, macro and file name starts with instead of ``sd_``.

    Returns
    -------
    dict
        Path inside the folder, with ``/``, to content; sorted.

    Raises
    ------
    ValueError
        Front-end and network do not match, there is no golden clip or an empty one, or `name` or
        `prefix` cannot be used.
    UserError
        A C source is missing.
    """
    prefixes.check(prefix)
    if not golden or any(len(pcm) == 0 for _, pcm in golden):
        raise ValueError("a golden clip is needed, and samples in every one")
    facts = {
        prefixes.shielded(key): prefixes.shielded(value) if isinstance(value, str) else value
        for key, value in provenance.items()
    }
    words = [prefixes.shielded(label) for label in labels]
    clips = [(prefixes.shielded(utterance), pcm) for utterance, pcm in golden]
    generated = host_recogniser.model_files(network, spec, name, labels=words, provenance=facts)
    generated |= c_recogniser.c_files(network, spec, name, list(labels))  # the digest is of these
    sources = host_recogniser.source_paths(firmware, network, spec)
    if detector is not None:
        generated |= c_detector.c_files(detector, network, spec, name, list(labels))
        sources = host_detector.source_paths(firmware, network, spec)
    sources = [*sources, firmware / _DECIMATOR]
    shared = {path.name: _read(path) for path in sources}
    shared |= _headers([*shared.values(), *generated.values()], firmware, generated)
    if name in _OWN_NAMES | {Path(file).stem for file in shared}:
        raise ValueError(f"{name!r} is the name of another file in the folder")
    readme = Readme(
        network=network,
        spec=spec,
        name=name,
        labels=words,
        provenance=facts,
        utterances=[utterance for utterance, _ in clips],
        measured=measured or {},
        proof=proof or {},
        detector=detector,
    )
    texts = {f"{_folder(file)}/{file}": text for file, text in (shared | generated).items()}
    texts["example/main.c"] = _read(firmware / "example" / "main.c")
    texts |= _golden_files(network, spec, clips)
    if detector is not None:
        events = listening.golden_events(detector, network, spec, [pcm for _, pcm in clips])
        texts |= listening.golden_files(events)
        texts["example/listen.c"] = _read(firmware / "example" / "listen.c")
    texts |= {"Makefile": _makefile(texts), "README.md": readme.text()}
    texts = prefixes.renamed(texts, prefix) | {"LICENSE": licence}
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


def _golden_files(network: IntegerGraph, spec: Spec, golden: Sequence[Golden]) -> dict[str, str]:
    """``golden.h`` and ``golden.c``: samples, and Python's results for them."""
    logits = network.logits(*extraction.extract([pcm for _, pcm in golden], spec))
    arrays, entries = [], []
    for i, (utterance, pcm) in enumerate(golden):
        arrays.append(array("int16_t", f"pcm_{i}", pcm))
        logit_row = ", ".join(literal(int(value)) for value in logits[i])
        entries.append(
            f"    {{{string_literal(utterance)}, pcm_{i}, {len(pcm)},\n     {{{logit_row}}}}},\n"
        )
    source = (
        "/* Generated: do not edit. The samples are recordings from the corpus named in the\n"
        " * README, under that corpus's licence. */\n"
        '#include "golden.h"\n\n' + "\n".join(arrays) + "\n"
        f"const golden_clip golden_clips[GOLDEN_N_CLIPS] = {{\n{''.join(entries)}}};\n"
    )
    header = _GOLDEN_HEADER.format(n_clips=len(golden))
    return {"example/golden.h": header, "example/golden.c": source}


def _makefile(paths: Iterable[str]) -> str:
    found = set(paths)
    sources = sorted(path for path in found if path.startswith("src/"))
    has_detector = "example/listen.c" in found
    return _MAKEFILE.format(
        sources=" \\\n  ".join(sources),
        programs="$(BUILD)/example $(BUILD)/listen" if has_detector else "$(BUILD)/example",
        listen=_LISTEN if has_detector else "",
    )


_GOLDEN_HEADER = """\
/* Golden vectors of the model in model.h: clips and the results of its Python twin. Generated. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdint.h>

#include "model.h"

#define GOLDEN_N_CLIPS {n_clips}u

#ifdef __cplusplus
extern "C" {{
#endif

typedef struct {{
    const char *utterance;
    const int16_t *pcm;
    uint32_t n_samples;
    int32_t logits[MODEL_N_CLASSES];
}} golden_clip;

extern const golden_clip golden_clips[GOLDEN_N_CLIPS];

#ifdef __cplusplus
}}
#endif

#endif
"""

_LISTEN = """\
LISTEN_OBJECTS = $(BUILD)/listen.o $(BUILD)/golden_events.o $(BUILD)/golden.o

$(BUILD)/listen: $(OBJECTS) $(LISTEN_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

"""

_MAKEFILE = """\
# make check                                   build the example here, compare with golden vectors
# make check CC='riscv64-linux-gnu-gcc -static' RUN=qemu-riscv64       the same, emulated
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

check: {programs}
	@for program in $^; do echo $$program; $(RUN) $$program || exit 1; done

objects: $(OBJECTS)

size: $(OBJECTS)
	$(SIZE) -t $(OBJECTS)

clean:
	rm -rf $(BUILD)

$(BUILD)/example: $(OBJECTS) $(EXAMPLE_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

{listen}$(BUILD)/%.o: src/%.c $(HEADERS) $(BUILD)/command
	$(CC) $(C99) $(CFLAGS) -c $< -o $@

$(BUILD)/%.o: example/%.c $(HEADERS) $(BUILD)/command
	$(CC) $(C99) $(CFLAGS) -Iexample -c $< -o $@

# rebuild all if the compiler or flags change
$(BUILD)/command: force
	@mkdir -p $(BUILD)
	@echo '$(CC) $(C99) $(CFLAGS)' | cmp -s - $@ || echo '$(CC) $(C99) $(CFLAGS)' > $@

force:
"""
