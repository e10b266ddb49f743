"""The section `budget` of a model: memory that its hidden size is solved from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reading = Literal["total", "per_layer", "int8_all", "pow2_all"]


@dataclass(frozen=True, kw_only=True)
class BudgetParams:
    """Section `budget` of an LSTM model."""

    kib: float
    """Memory to fit, KiB."""
    bytes_per_weight: int
    """4 for float32, 1 for int8."""
    bytes_per_bias: int
    """4 for float32 or int32."""
    bias_vectors: Literal[1, 2]
    """Bias vectors a layer: 2 as PyTorch keeps them, 1 where they are added up."""
    reading: Reading
    """total: all parameters together fit; per_layer: each layer fits by itself; int8_all, pow2_all:
    everything that the integer network of that scheme keeps fits, shifts and tables included (its
    weights and biases have sizes of their own)."""

    def __post_init__(self) -> None:
        for name in ("kib", "bytes_per_weight", "bytes_per_bias"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}` is {getattr(self, name)}, must be more than 0")
