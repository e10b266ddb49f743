"""The window that a convolution slides along frames and bands, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.integer.operators.base import Arrays

MAX_KERNEL = 15
MAX_STRIDE = 8


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sizes and steps as (frames, bands). Around the picture lie zeros."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    """Zeros before the first and after the last."""

    def __post_init__(self) -> None:
        for size, step, zeros in zip(self.kernel, self.stride, self.padding, strict=True):
            if not (1 <= size <= MAX_KERNEL and 1 <= step <= MAX_STRIDE and 0 <= zeros < size):
                raise ValueError(
                    f"a window of {size} with stride {step} and padding {zeros} is out of range"
                )

    @property
    def size(self) -> int:
        """Values of a channel that it sees."""
        return self.kernel[0] * self.kernel[1]

    def n_out(self, n_in: int, axis: int) -> int:
        """Positions along frames (0) or bands (1)."""
        beyond = n_in + 2 * self.padding[axis] - self.kernel[axis]
        return beyond // self.stride[axis] + 1 if beyond >= 0 else 0

    def seen(self, x: NDArray[Any]) -> NDArray[Any]:
        """What each position sees.

        Parameters
        ----------
        x
            (n_clips, n_frames, n_bands, n_channels)

        Returns
        -------
        (n_clips, out frames, out bands, n_channels, kernel frames, kernel bands), a view.
        """
        frames, bands = self.padding
        padded = np.pad(x, ((0, 0), (frames, frames), (bands, bands), (0, 0)))
        views = np.lib.stride_tricks.sliding_window_view(padded, self.kernel, axis=(1, 2))
        return views[:, :: self.stride[0], :: self.stride[1]]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """For a model file."""
        sizes = [*self.kernel, *self.stride, *self.padding]
        return {"window": np.array(sizes, np.uint8)}

    @classmethod
    def from_arrays(cls, named: Arrays) -> Window:
        """Back from `arrays`."""
        sizes = [int(size) for size in named["window"].reshape(-1).tolist()]
        if len(sizes) != 6:
            raise ValueError(f"a window has 6 sizes, not {len(sizes)}")
        return cls(
            kernel=(sizes[0], sizes[1]), stride=(sizes[2], sizes[3]), padding=(sizes[4], sizes[5])
        )
