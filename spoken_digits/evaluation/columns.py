"""Names of columns and rows in tables of predictions."""

from __future__ import annotations

FLOAT = "float32"
"""The float model; integer networks have columns named by their scheme."""
ADAPTED = "+adapted"
"""Ends the name of a network's column while it adapts to the talker."""
VOICES = "+voices"
"""Ends the name of a model that was trained with extra voices."""
WHOLE = "nothing"
"""The step of an ablation that leaves nothing out, with which the others are compared."""
