"""One clip, and many, through every trained model and scheme.

Rows `latency_<model>.<scheme>` (one clip at a time) and `throughput_<model>.<scheme>` (seconds a
clip in batches), from features to logits, two threads. Reference: the same model in float32 by
PyTorch, one clip at a time in `latency`, in batches in `throughput`, in turns with ours.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from latency import median_seconds
from measuring import row
from torch import nn

from spoken_digits import experiment
from spoken_digits.integer import network_c
from spoken_digits.models.model_file import ModelCard, read_model
from spoken_digits.models.params import names
from spoken_digits.quantization import integer, load_any

MODELS = Path("models")
BATCH = 256
FLAGS = ("-O3", "-march=native")
Call = Callable[[], Any]


def rows(data: Path, everything: dict[str, Any], firmware: Path) -> list[dict[str, Any]]:
    """Rows of every model file.

    Parameters
    ----------
    data
        Folder with features and split.
    everything
        params.yaml.
    firmware
        Folder of the C sources, which integer models run in.
    """
    result = []
    for name in names(everything):
        test = experiment.load_dataset(data, everything, name).subset("test")
        batch = test.take(np.arange(min(BATCH, len(test))))
        clips = (batch.x, batch.n_frames)
        one = (batch.x[:1], batch.n_frames[:1])
        float_card, tensors = read_model(MODELS / f"{name}.safetensors")
        network = load_any(float_card, tensors)
        slow = float_card.architecture["name"] != "lstm"
        rounds, calls = (2, 3) if slow else (6, 5)
        for path in sorted(MODELS.glob(f"{name}.*safetensors")):
            card, tensors = read_model(path)
            with tempfile.TemporaryDirectory() as folder:
                prepare = functools.partial(_prepare, card, tensors, firmware, Path(folder))
                for what, given in (("latency", one), ("throughput", clips)):
                    contenders = {"ours": prepare(*given)}
                    if card.scheme != "float32":
                        contenders["float32"] = functools.partial(_run, network, float_card, *given)
                    seconds = median_seconds(contenders, rounds, calls)
                    n = len(given[0])
                    reference = seconds["float32"] / n if "float32" in seconds else None
                    how = "C99 on one core" if card.scheme in integer.SCHEMES else "PyTorch"
                    against = ", against float32 in PyTorch" if reference else ""
                    note = f"features to logits, {'one clip' if n == 1 else f'{n} clips at once'}"
                    result.append(
                        row(
                            f"{what}_{name}.{card.scheme}",
                            seconds["ours"] / n,
                            reference,
                            f"{note}, a clip: {how}{against}",
                        )
                    )
    return result


@torch.inference_mode()
def _run(
    network: nn.Module, card: ModelCard, x: torch.Tensor, n_frames: torch.Tensor
) -> torch.Tensor:
    logits: torch.Tensor = network(card.normalise(x), n_frames)
    return logits


def _prepare(
    card: ModelCard,
    tensors: dict[str, torch.Tensor],
    firmware: Path,
    folder: Path,
    x: torch.Tensor,
    n_frames: torch.Tensor,
) -> Call:
    """What is timed: integer models in C, the others in PyTorch."""
    if card.scheme not in integer.SCHEMES:
        return functools.partial(_run, load_any(card, tensors), card, x, n_frames)
    network = integer.restore(card, tensors)
    library = network_c.build_host_library(firmware, network, folder, flags=FLAGS)
    features, frames = x.numpy().astype(np.int8), n_frames.numpy()
    return functools.partial(network_c.logits_on_host, library, features, frames, network.n_classes)
