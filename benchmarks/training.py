"""Training steps and epochs, each way in a process of its own.

Run     python benchmarks/training.py WHAT MODEL     prints JSON; run.py calls it

`step MODEL`        our loop with the reference's recipe: no augmentation, no clipping
`reference MODEL`   the same network, batch and optimizer as plain PyTorch has them
`epoch MODEL`       one epoch of FSDD by the model's own recipe, validation included
`floor cnn`         what memory and arithmetic of this machine allow for a step of the CNN
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import row
from numpy.typing import NDArray
from torch import nn

from spoken_digits import errors, experiment, params
from spoken_digits.experiment import Dataset
from spoken_digits.models.networks import Cnn, Network, make_network
from spoken_digits.models.params import names, read_model_params
from spoken_digits.training import loop
from spoken_digits.training.data import Batch, Subset
from spoken_digits.training.recipe import read_recipe

ROOT = Path(__file__).resolve().parent.parent
DATA = Path("data")
CNNS = ("cnn", "cnn_lstm")
BATCH = 32
STEPS = 16
ROUNDS = 4
REFERENCE_STEPS = 12


def rows() -> list[dict[str, Any]]:
    """Rows `train_step_<cnn>` and `epoch_<model>`; run where data/ holds FSDD's features."""
    result = []
    for model in CNNS:
        ours, reference = _call("step", model), _call("reference", model)
        note = (
            f"forward, backward and Adam on {BATCH} spectrograms, batches read from the "
            f"memory-mapped tensor ({ours['precision']}), against plain float32 Adam on a batch "
            f"in memory (peak {reference['peak_rss_mib']:,.0f} MiB)"
        )
        more = {"peak_rss_mib": ours["peak_rss_mib"]}
        if model == "cnn":
            floor = _call("floor", model)
            more |= {"floor_s": round(floor["seconds"], 4)}
            note += f"; floor {floor['seconds']:.3f} s: {floor['how']}"
        result.append(
            row(f"train_step_{model}", ours["seconds"], reference["seconds"], note, **more)
        )
    everything = params.read_params(Path("params.yaml"))
    for model in names(everything):
        epoch = _call("epoch", model)
        note = (
            f"{epoch['n_train']} clips and validation, {epoch['n_train'] / epoch['seconds']:,.0f} "
            f"clips/s; reading and normalising batches {100 * epoch['input_share']:.2f} %"
        )
        more = {"peak_rss_mib": epoch["peak_rss_mib"], "input_share": epoch["input_share"]}
        result.append(row(f"epoch_{model}", epoch["seconds"], None, note, **more))
    return result


def _call(what: str, model: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), what, model]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


class TimedSubset(Subset):
    """A subset that counts the seconds spent on reading batches."""

    seconds = 0.0

    def take(self, positions: NDArray[np.int64]) -> Batch:
        start = time.perf_counter()
        batch = super().take(positions)
        TimedSubset.seconds += time.perf_counter() - start
        return batch


def step(dataset: Dataset, everything: dict[str, Any], model: str) -> dict[str, Any]:
    """Median over epochs of a few steps, through the real loop."""
    section = read_model_params(everything, model)
    recipe = read_recipe(everything, model, section, "audiomnist")
    recipe = dataclasses.replace(recipe, epochs=ROUNDS, batch_size=BATCH, patience=None)
    device = loop.set_up(recipe.device, recipe.threads)
    train = dataset.subset("train")
    train = dataclasses.replace(train, rows=train.rows[: BATCH * STEPS])
    one = dataclasses.replace(train, rows=train.rows[:1])
    ends = [time.perf_counter()]
    loop.fit(
        _network(dataset, everything, model),
        lambda x: x.float(),
        train,
        one,
        recipe,
        seed=0,
        device=device,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )
    seconds = statistics.median(np.diff(ends)[1:]) / STEPS
    bfloat16 = recipe.precision != "float32" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    precision = f"{recipe.memory_format}, {'bfloat16' if bfloat16 else 'float32'}, fused Adam"
    return {"seconds": seconds, "precision": precision}


def reference(dataset: Dataset, everything: dict[str, Any], model: str) -> dict[str, Any]:
    """Median of plain steps."""
    torch.set_num_threads(params.value(everything["train"], "threads", int, "train"))
    network = _network(dataset, everything, model)
    batch = dataset.subset("train").take(np.arange(BATCH))
    x = batch.x.float()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    times = []
    for _ in range(REFERENCE_STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x, batch.n_frames), batch.y).backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times[2:])}


def epoch(dataset: Dataset, everything: dict[str, Any], model: str) -> dict[str, Any]:
    """The second epoch of the model's own recipe, and the share of it that its input takes."""
    recipe = read_recipe(everything, model, read_model_params(everything, model), "fsdd")
    recipe = dataclasses.replace(recipe, epochs=2, patience=None)
    device = loop.set_up(recipe.device, recipe.threads)
    whole = vars(dataset.subset("train"))
    ends: list[tuple[float, float]] = []

    def normalise(x: torch.Tensor) -> torch.Tensor:
        start = time.perf_counter()
        normalised = (x.float() - 0.5) / 0.25
        TimedSubset.seconds += time.perf_counter() - start
        return normalised

    loop.fit(
        _network(dataset, everything, model),
        normalise,
        TimedSubset(**whole),
        dataset.subset("val"),
        recipe,
        seed=0,
        device=device,
        on_epoch=lambda *_: ends.append((time.perf_counter(), TimedSubset.seconds)),
    )
    (before, input_before), (after, input_after) = ends
    share = (input_after - input_before) / (after - before)
    n_train = len(dataset.rows["train"])
    return {"seconds": after - before, "input_share": round(share, 5), "n_train": n_train}


def floor(dataset: Dataset, everything: dict[str, Any], model: str) -> dict[str, Any]:
    """What a step must take: memory traffic at the bandwidth, arithmetic at the rate, found here.

    Adam reads weight, gradient and two moments and writes all but the gradient: 7 x 4 bytes a
    weight. The products read the weights twice and write the gradients once, or compute 6
    operations a weight use, whichever takes longer; the two are then added, since Adam cannot
    begin before the last gradient.
    """
    torch.set_num_threads(params.value(everything["train"], "threads", int, "train"))
    network = _network(dataset, everything, model)
    assert isinstance(network, Cnn)
    n_weights = sum(p.numel() for p in network.parameters())
    batch = dataset.subset("train").take(np.arange(BATCH))
    flops = 3 * 2 * _multiply_accumulates(network, batch)
    bandwidth, rate = _bandwidth(), _rate()
    adam_s = 7 * 4 * n_weights / bandwidth
    products_s = max(3 * 4 * n_weights / bandwidth, flops / rate)
    how = (
        f"{bandwidth / 1e9:.1f} GB/s and {rate / 1e9:.0f} GFLOP/s measured here, Adam {adam_s:.3f} "
        f"s, products {products_s:.3f} s"
    )
    return {"seconds": adam_s + products_s, "how": how}


def _multiply_accumulates(network: nn.Module, batch: Batch) -> int:
    """Of a forward pass of the batch."""
    total = 0

    def count(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(module.weight, torch.Tensor)
        total += output.numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(batch.x.float(), batch.n_frames)
    return total


def _bandwidth() -> float:
    """Bytes a second of a += b on arrays far larger than any cache; the best of several."""
    n = 2**26
    a, b = torch.ones(n), torch.ones(n)
    return 3 * 4 * n / _best(lambda: a.add_(b))


def _rate() -> float:
    """Float operations a second of a large matrix product; the best of several."""
    n = 2048
    a, b = torch.rand(n, n), torch.rand(n, n)
    out = torch.empty(n, n)
    return 2 * n**3 / _best(lambda: torch.mm(a, b, out=out))


def _best(call: Any) -> float:
    times = []
    for _ in range(8):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def _network(dataset: Dataset, everything: dict[str, Any], model: str) -> Network:
    torch.manual_seed(0)
    shape, n_classes = dataset.input_shape, len(dataset.labels)
    section = read_model_params(everything, model)
    described = experiment.describe_network(section, shape[1], n_classes)
    return make_network(described, shape, n_classes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["step", "reference", "epoch", "floor"])
    parser.add_argument("model")
    arguments = parser.parse_args()
    everything = params.read_params(Path("params.yaml"))
    dataset = experiment.load_dataset(DATA, everything, arguments.model)
    answer = globals()[arguments.what](dataset, everything, arguments.model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps({**answer, "peak_rss_mib": round(peak)}))


if __name__ == "__main__":
    errors.run(main)
