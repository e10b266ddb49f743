"""The section `budget` of a model: the memory that its hidden size must fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from spoken_digits.bounds import Bounds

KIB = 1024
Reading = Literal["total", "per_layer", "int8_all", "pow2_all"]


@dataclass(frozen=True, kw_only=True)
class BudgetParams:
    """Section `budget` of an LSTM model."""

    kib: Annotated[float, Bounds(above=0, high=262_144, example=36)] | None = None
    """Memory to fit, KiB (1,024 bytes); give this or `bytes`."""
    bytes: Annotated[int, Bounds(1, 268_435_456, example=36_000)] | None = None
    """Memory to fit, bytes; give this or `kib`."""
    bytes_per_weight: Annotated[int, Bounds(1, 8, example=4)]
    """4 for float32, 1 for int8."""
    bytes_per_bias: Annotated[int, Bounds(1, 8, example=4)]
    """4 for float32 or int32."""
    bias_vectors: Literal[1, 2]
    """Bias vectors per layer: PyTorch keeps 2; integer networks keep 1, their sum."""
    reading: Reading
    """What must fit. total: all parameters together; per_layer: each layer by itself; int8_all,
    pow2_all: everything the integer network of that scheme stores, including shifts and tables
    (sizes of weights and biases follow from the scheme)."""

    def __post_init__(self) -> None:
        if (self.kib is None) == (self.bytes is None):
            raise ValueError("`kib` or `bytes`: give one of the two, such as kib: 36")

    @property
    def n_bytes(self) -> float:
        """Memory to fit, bytes."""
        return self.bytes if self.bytes is not None else (self.kib or 0) * KIB
