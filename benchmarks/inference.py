"""Time one clip, and many, through every trained model and scheme.

Rows `latency_<model>.<scheme>` (one clip at a time) and `throughput_<model>.<scheme>` (seconds
per clip in batches), from features to logits, on two threads; PyTorch and C take turns.
Reference: the same model in float32 by PyTorch, given the same clips; for float32 itself, one clip
at a time.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from latency import median_seconds, one_clip
from measuring import row
from torch import nn

from spoken_digits.config import Config
from spoken_digits.data.loading import load_dataset
from spoken_digits.embedded import host_network
from spoken_digits.models.card import ModelCard
from spoken_digits.models.device import pick_device
from spoken_digits.models.model_file import read_model
from spoken_digits.models.params import names, read_model_params
from spoken_digits.quantization import integer
from spoken_digits.quantization.loading import load_any

MODELS = Path("models")
BATCH = 256
FLAGS = ("-O3", "-march=native")
CPU = torch.device("cpu")
Call = Callable[[], Any]


def rows(data: Path, config: Config, firmware: Path) -> list[dict[str, Any]]:
    """Rows of every model file.

    Parameters
    ----------
    data
        Folder with features and split.
    config
        params.yaml.
    firmware
        Folder of the C sources of the integer models.
    """
    result = []
    for name in names(config):
        float_card, tensors = read_model(MODELS / f"{name}.safetensors")
        device = pick_device(config.value("train.device", str))
        network = load_any(float_card, tensors).to(device)
        slow = float_card.architecture["name"] != "lstm"
        test = load_dataset(data, read_model_params(config, name).features).subset("test")
        batch = test.take(np.arange(min(32 if slow else BATCH, len(test))))
        given = {"latency": 1, "throughput": len(batch.y)}
        alone: float | None = None  # seconds of one clip in float32
        for path in [MODELS / f"{name}.safetensors", *sorted(MODELS.glob(f"{name}.*.safetensors"))]:
            card, tensors = read_model(path)
            for what, n in given.items():
                clips = (batch.x[:n], batch.n_frames[:n])
                with tempfile.TemporaryDirectory() as folder:
                    float32 = functools.partial(_run, network, float_card, device, *clips)
                    if card.scheme == "float32":
                        contenders = {"ours": float32}
                    else:
                        prepared = _prepare(card, tensors, firmware, Path(folder), *clips)
                        contenders = {"ours": prepared, "float32": float32}
                    seconds = median_seconds(contenders, *((2, 4) if slow else (6, 5)))
                if card.scheme == "float32":
                    reference, against = alone, ", against one clip at a time" if alone else ""
                    alone = alone or seconds["ours"]
                else:
                    reference, against = seconds["float32"] / n, ", against float32 in PyTorch"
                where = "C99 on one core" if card.scheme in integer.SCHEMES else "PyTorch"
                where += " on a GPU" if card.scheme == "float32" and device.type == "cuda" else ""
                together = "one clip" if n == 1 else f"{n} clips at once, a clip"
                note = f"features to logits, {together}: {where}{against}"
                label = f"{what}_{name}.{card.scheme}"
                result.append(row(label, seconds["ours"] / n, reference, note))
    return result


@torch.inference_mode()
def _run(
    network: nn.Module,
    card: ModelCard,
    device: torch.device,
    x: torch.Tensor,
    n_frames: torch.Tensor,
) -> torch.Tensor:
    logits: torch.Tensor = network(card.normalise(x.to(device)), n_frames)
    return logits.cpu()  # waits for a GPU


def _prepare(
    card: ModelCard,
    tensors: dict[str, torch.Tensor],
    firmware: Path,
    folder: Path,
    x: torch.Tensor,
    n_frames: torch.Tensor,
) -> Call:
    """The call to time: integer models in C, others in PyTorch."""
    if card.scheme not in integer.SCHEMES:
        return functools.partial(_run, load_any(card, tensors), card, CPU, x, n_frames)
    network = integer.restore(card, tensors)
    library = host_network.build_host_library(firmware, network, folder, flags=FLAGS)
    features, frames = x.numpy().astype(np.int8), n_frames.numpy()
    if len(features) == 1:
        return one_clip(library, features[0, : frames[0]], network.n_classes)
    return functools.partial(
        host_network.logits_on_host, library, features, frames, network.n_classes
    )
