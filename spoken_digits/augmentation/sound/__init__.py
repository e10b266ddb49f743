"""`sound`: every clip is spoken, recorded and disturbed anew in every epoch."""

from __future__ import annotations

from spoken_digits.augmentation.sound.recordings import prepare

__all__ = ["prepare"]
