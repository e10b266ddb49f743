"""`open_sound`: as `sound`, for words and for clips that are none of them."""

from __future__ import annotations

from spoken_digits.augmentation.open_sound.clips import prepare

__all__ = ["prepare"]
