"""What the generated files of every model share: model card, constants, labels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from spoken_digits.embedded.emit.text import comment_lines, comment_text, string_literal


def check_names(name: str, labels: Sequence[str], n_classes: int) -> None:
    """Refuse a `name` that is no lower-case C identifier, and a wrong number of labels."""
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
        raise ValueError(f"{name!r} is no lower-case C identifier")
    if len(labels) != n_classes:
        raise ValueError(f"{len(labels)} labels for {n_classes} classes")


def header(
    name: str,
    labels: Sequence[str],
    *,
    card: Sequence[str],
    provenance: Mapping[str, object],
    include: str,
    constants: Mapping[str, object],
    declarations: str,
) -> str:
    """Text of ``{name}.h``.

    Parameters
    ----------
    card
        What the model is; `provenance` follows, a fact a line.
    include
        The header of the code that runs the model.
    constants
        Macros, without the name of the model in front.
    declarations
        Types and constants of the model, in C.
    """
    upper = name.upper()
    lines = [*card, "", *(f"{key}: {comment_text(value)}" for key, value in provenance.items())]
    macros = "\n".join(f"#define {upper}_{key} {value}" for key, value in constants.items())
    return f"""/* Model card. Generated: do not edit.
 *
{comment_lines(lines)}
 */
#ifndef {upper}_H
#define {upper}_H

#include "{include}"

{macros}

#ifdef __cplusplus
extern "C" {{
#endif

{declarations}
/* The words, in the order of the logits: {comment_text(", ".join(labels))} */
extern const char *const {name}_labels[{upper}_N_CLASSES];

#ifdef __cplusplus
}}
#endif

#endif
"""


def label_array(name: str, labels: Sequence[str]) -> str:
    """Definition of the labels."""
    words = ", ".join(string_literal(label) for label in labels)
    return f"const char *const {name}_labels[{name.upper()}_N_CLASSES] = {{{words}}};\n"
