"""Import this before NumPy and PyTorch: it pins the kernels that both compute with."""

from __future__ import annotations

from spoken_digits import arithmetic

arithmetic.pin()
