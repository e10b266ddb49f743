"""Gradients of several processes, averaged, are those of one process.

Adam divides a gradient by its own size, so a wrong scale would not show in what is learned.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import processes
import torch.multiprocessing


def recorded(folder: Path, size: int) -> list[dict[str, np.ndarray]]:
    torch.multiprocessing.spawn(processes.record_gradients, (size, str(folder)), nprocs=size)
    return [dict(np.load(folder / f"{rank}_of_{size}.npz")) for rank in range(size)]


def test_two_processes_step_by_the_gradient_of_the_whole_batch(tmp_path):
    processes.record_gradients(0, 1, str(tmp_path))
    alone = dict(np.load(tmp_path / "0_of_1.npz"))
    assert len(alone["gradients"]) == 4  # the last batch is of one clip
    assert np.abs(alone["gradients"]).max(axis=1).min() > 0.01
    for together in recorded(tmp_path, 2):
        np.testing.assert_allclose(together["gradients"], alone["gradients"], rtol=1e-4, atol=1e-6)
        # Losses and accuracies are of all clips, each counted once.
        np.testing.assert_allclose(together["curve"], alone["curve"], rtol=1e-5)
