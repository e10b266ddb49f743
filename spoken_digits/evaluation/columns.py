"""Names of columns and rows in tables of predictions."""

from __future__ import annotations

FLOAT = "float32"
"""The float model; integer networks have columns named by their scheme."""
ADAPTED = "+adapted"
"""Ends the name of a network's column while it adapts to the talker."""
VOICES = "+voices"
"""Ends the name of a model that was trained with extra voices."""
SPOKEN = "+spoken"
"""Ends the name of a model that was trained with synthesised voices."""
MORE_VOICES = (VOICES, SPOKEN)
WHOLE = "nothing"
"""The step of an ablation that leaves nothing out, with which the others are compared."""


def has_more_voices(name: str) -> bool:
    """Whether a row is of a model that was trained with more voices than the corpus's."""
    return any(ending in name for ending in MORE_VOICES)


def without_voices(model: str) -> str:
    """The name of the model that was trained on the corpus alone."""
    for ending in MORE_VOICES:
        model = model.removesuffix(ending)
    return model
