"""How glibc handles large arrays that come and go."""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of <malloc.h>
_LARGEST_TRIM = 2**31 - 1


def keep_freed_memory() -> None:
    """Let glibc reuse freed arrays instead of handing every one back to the kernel.

    By default each large array is fresh memory, zeroed by the kernel page by page: a third of
    the time of a training step with 120 million weights, and a tenth of a spectrogram. No effect
    where the C library is another.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _LARGEST_TRIM)
