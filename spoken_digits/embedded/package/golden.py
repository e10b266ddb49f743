"""Golden vectors of an exported folder: clips, and Python's logits for them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spoken_digits.embedded.emit.text import array, literal, string_literal
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph

Golden = tuple[str, NDArray[np.int16]]
"""Name and samples of a clip."""


def clip_files(network: IntegerGraph, spec: Spec, golden: Sequence[Golden]) -> dict[str, str]:
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
    return {"golden.h": _HEADER.format(n_clips=len(golden)), "golden.c": source}


_HEADER = """\
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
