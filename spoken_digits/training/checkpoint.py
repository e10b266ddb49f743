"""Checkpoints on disk, so that a killed training can be resumed.

A checkpoint's name is a digest of all that decides the result, including code and libraries, so a
run never resumes from the state of a different one. A damaged one is dropped with a message.
"""

from __future__ import annotations

import copy
import pickle
import sys
import zipfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spoken_digits.io import locks
from spoken_digits.io.files import replacing


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where and how often the state is saved."""

    path: Path
    every_s: float
    """Shortest time between two saves, seconds."""

    def save(self, stateful: dict[str, Any], state: dict[str, Any]) -> None:
        """Save `state` and the `state_dict` of each object of `stateful`."""
        with replacing(self.path) as temporary:
            content = {name: one.state_dict() for name, one in stateful.items()}
            torch.save({**content, "state": state}, temporary)

    def resume(self, stateful: dict[str, Any]) -> dict[str, Any] | None:
        """Restore the objects of `stateful` from the file; return `state`.

        Returns None if there is nothing to resume from. A damaged file is removed with a line on
        stderr, and the objects are left as they were.
        """
        if not self.path.exists():
            return None
        before = {name: copy.deepcopy(one.state_dict()) for name, one in stateful.items()}
        try:
            with zipfile.ZipFile(self.path) as archive:
                if archive.testzip() is not None:
                    raise ValueError("a checksum is wrong")
            saved: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
            for name, one in stateful.items():
                one.load_state_dict(saved[name])
            state: dict[str, Any] = saved["state"]
        except (
            AttributeError,
            EOFError,
            KeyError,
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
        ):
            for name, one in stateful.items():
                one.load_state_dict(before[name])
            print(f"{self.path} is damaged: training starts from the beginning", file=sys.stderr)
            self.path.unlink(missing_ok=True)
            return None
        return state

    def remove(self) -> None:
        """Remove the file: the training is finished."""
        self.path.unlink(missing_ok=True)


def alone(folder: Path, model: str) -> AbstractContextManager[None]:
    """Refuse a second training of the same model while this one lasts.

    Raises
    ------
    UserError
        On entering: the model is being trained already.
    """
    return locks.alone(
        folder / f"{model}.lock",
        f"{model} is being trained by another process here: wait for it, or stop it and run "
        "again to resume",
    )


def network_state(network: nn.Module) -> dict[str, Any]:
    """A copy of the weights and buffers of `network`."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
