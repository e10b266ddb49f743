"""What corpora that are made on this machine share."""

from __future__ import annotations

import io
import wave
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Made = TypeVar("Made")


def in_order(
    make: Callable[[Item], Iterable[Made]], items: Iterable[Item], workers: int
) -> Iterator[Made]:
    """What is made of each item, in order, by threads that run a little ahead of the reader."""
    pool = ThreadPoolExecutor(workers)
    ahead: deque[Future[Iterable[Made]]] = deque()
    try:
        for item in items:
            ahead.append(pool.submit(make, item))
            if len(ahead) > workers:  # one more than there are workers, so that none is idle
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def wav(waveform: NDArray[np.floating], sample_rate: int) -> bytes:
    """A mono WAV file of 16 bit; what is beyond full scale, 1, is clipped."""
    pcm = np.rint(32767 * np.clip(waveform, -1, 1)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(pcm.tobytes())
    return file.getvalue()
