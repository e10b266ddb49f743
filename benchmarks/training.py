"""Time training steps and epochs, each variant in its own process.

Run     python benchmarks/training.py WHAT MODEL     prints JSON; run.py calls it
        python benchmarks/training.py WHAT MODEL --arithmetic portable

`step MODEL`              our loop with the recipe for AudioMNIST: no augmentation
`compiled MODEL`          the same with the network compiled by torch.compile
`reference MODEL`         the same network, batch and optimizer in plain PyTorch
`epoch MODEL`             one epoch by the model's own recipe, validation included
`reference_epoch MODEL`   the same clips, read and transformed again as in the notebooks
`own_step MODEL`          a step of the model's own recipe on its own corpus, augmentation included
`floor cnn`               the least time that this machine needs for a step of the CNN

Each uses a GPU if there is one; --data names another folder than data/.
"""

from __future__ import annotations

import sys

if "portable" in sys.argv:  # --arithmetic portable: before NumPy and PyTorch are imported
    import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
import dataclasses
import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import row
from numpy.typing import NDArray
from reference_loop import READERS, train
from torch import nn

from spoken_digits import arithmetic, errors
from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.config import Config, read_config
from spoken_digits.data.clips import ClipArchive
from spoken_digits.data.dataset import Batch, Subset
from spoken_digits.data.loading import Dataset, load_dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.models.architectures import cnn
from spoken_digits.models.base import BaseNetwork, ModelParams
from spoken_digits.models.device import pick_device, set_up, use_bfloat16
from spoken_digits.models.networks import make_network
from spoken_digits.models.params import names, read_model_params
from spoken_digits.training import loop
from spoken_digits.training.planning import describe_network, read_recipe
from spoken_digits.training.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
DATA = Path("data")
CNNS = ("cnn", "cnn_lstm")
PORTABLE = ("lstm_36kb", "lstm")
BATCH = 32
STEPS = 16
ROUNDS = 4
REFERENCE_STEPS = 12
REFERENCE_CLIPS = 320
"""Train clips to time the reference's epoch on; all of them would take minutes."""


def rows() -> list[dict[str, Any]]:
    """Rows `train_step_<cnn>` and `epoch_<model>`; run where data/ holds FSDD's features."""
    config = read_config(Path("params.yaml"))
    steps = [step_row(model) for model in CNNS]
    return steps + [epoch_row(f"epoch_{model}", model, DATA) for model in names(config)]


def portable_rows() -> list[dict[str, Any]]:
    """Rows `portable_<model>`; run where data/ holds FSDD's features."""
    return [portable_row(model) for model in PORTABLE]


def step_row(model: str) -> dict[str, Any]:
    """A training step, compared with a plain one."""
    ours, reference = _call("step", model), _call("reference", model)
    compiled = _call("compiled", model)["seconds"]
    note = (
        f"forward, backward and Adam on {BATCH} spectrograms, batches read from the "
        f"memory-mapped tensor ({ours['precision']}; {compiled:.3f} s with torch.compile), against "
        f"plain float32 Adam on a batch in memory (peak {reference['peak_rss_mib']:,.0f} MiB)"
    )
    more = {"peak_rss_mib": ours["peak_rss_mib"], "compiled_s": round(compiled, 5)}
    if model == "cnn":
        floor = _call("floor", model)
        more |= {"floor_s": round(floor["seconds"], 5)}
        note += f"; floor {floor['seconds']:.4f} s: {floor['how']}"
    return row(f"train_step_{model}", ours["seconds"], reference["seconds"], note, **more)


def epoch_row(name: str, model: str, data: Path) -> dict[str, Any]:
    """An epoch, compared with the notebooks' way over the same clips."""
    ours, reference = _call("epoch", model, data), _call("reference_epoch", model, data)
    note = (
        f"{ours['n_train']} clips and validation, {ours['n_train'] / ours['seconds']:,.0f} "
        f"clips/s; reading and normalising batches {100 * ours['input_share']:.2f} %; against "
        f"{reference['how']}"
    )
    more = {"peak_rss_mib": ours["peak_rss_mib"], "input_share": ours["input_share"]}
    return row(name, ours["seconds"], reference["seconds"], note, **more)


def portable_row(model: str, data: Path = DATA) -> dict[str, Any]:
    """A training step with portable kernels, compared with the fastest ones."""
    portable, fast = (
        _call("own_step", model, data, "--arithmetic", kind) for kind in ("portable", "fast")
    )
    note = (
        f"forward, backward, clipping and Adam by the model's own recipe, arithmetic portable "
        f"({portable['precision']}), against fast ({fast['precision']})"
    )
    return row(f"portable_{model}", portable["seconds"], fast["seconds"], note)


def _call(what: str, model: str, data: Path = DATA, *options: str) -> dict[str, Any]:
    script = str(Path(__file__).resolve())
    command = [sys.executable, script, what, model, "--data", str(data), *options]
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


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The model, data and settings to measure."""

    data: Path
    """Folder with raw/, features/ and split.csv."""
    dataset: Dataset
    config: Config
    """params.yaml."""
    model: str

    @property
    def section(self) -> ModelParams:
        """The model's section of params.yaml."""
        return read_model_params(self.config, self.model)

    def recipe(self, corpus: str, **changes: Any) -> Recipe:
        """The model's recipe on a corpus, with changes, without early stopping."""
        recipe = read_recipe(self.config, self.model, self.section, corpus)
        return dataclasses.replace(recipe, patience=None, **changes)

    def network(self) -> BaseNetwork:
        """Freshly initialised."""
        torch.manual_seed(0)
        shape, n_classes = self.dataset.input_shape, len(self.dataset.labels)
        described = describe_network(self.section, shape[1], n_classes)
        return make_network(described, shape, n_classes)

    def plain_device(self) -> torch.device:
        """The device to train on, without the settings of `set_up`."""
        device = self.config.value("train.device", str)
        threads = self.config.value("train.threads", int)
        torch.set_num_threads(threads)
        return pick_device(device)


def step(
    subject: Subject, change: Callable[[BaseNetwork], None] = lambda network: None
) -> dict[str, Any]:
    """Median over epochs of a few steps, in the real loop."""
    recipe = subject.recipe("audiomnist", epochs=ROUNDS, batch_size=BATCH)
    device = set_up(recipe.device, recipe.threads)
    train = subject.dataset.subset("train")
    train = dataclasses.replace(train, rows=train.rows[: BATCH * STEPS])
    one = dataclasses.replace(train, rows=train.rows[:1])
    network = subject.network()
    change(network)
    ends = [time.perf_counter()]
    loop.fit(
        network,
        lambda x: x.float(),
        FeatureClips(train, lambda x: x.float(), recipe),
        one,
        recipe,
        seed=0,
        device=device,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )
    seconds = statistics.median(np.diff(ends)[1:]) / STEPS
    computed = "bfloat16" if use_bfloat16(recipe.precision, device) else "float32"
    return {"seconds": seconds, "precision": f"{recipe.memory_format}, {computed}, fused Adam"}


def own_step(subject: Subject) -> dict[str, Any]:
    """A step of the model's own recipe: the best of a few epochs of some steps each."""
    recipe = subject.recipe(subject.dataset.corpus["corpus"], epochs=ROUNDS)
    if not arithmetic.is_pinned():
        recipe = dataclasses.replace(recipe, arithmetic="fast")
    device = set_up(recipe.device, recipe.threads)
    train = subject.dataset.subset("train")
    train = dataclasses.replace(train, rows=train.rows[: recipe.batch_size * STEPS])
    one = dataclasses.replace(train, rows=train.rows[:1])
    ends = [time.perf_counter()]
    loop.fit(
        subject.network(),
        lambda x: (x.float() - x.float().mean()) / 40,
        FeatureClips(train, lambda x: (x.float() - x.float().mean()) / 40, recipe),
        one,
        recipe,
        seed=0,
        device=device,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )
    seconds = min(np.diff(ends)[1:]) / train.n_batches(recipe.batch_size)
    computed = "bfloat16" if use_bfloat16(recipe.precision, device) else "float32"
    return {"seconds": seconds, "precision": computed}


def compiled(subject: Subject) -> dict[str, Any]:
    """`step` with the network compiled."""
    return step(subject, change=lambda network: network.compile())


def reference(subject: Subject) -> dict[str, Any]:
    """Median of plain steps."""
    device = subject.plain_device()
    network = subject.network().to(device)
    batch = subject.dataset.subset("train").take(np.arange(BATCH))
    x, n_frames, y = (one.to(device) for one in (batch.x.float(), batch.n_frames, batch.y))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    times = []
    for _ in range(REFERENCE_STEPS):
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x, n_frames), y).backward()
        optimizer.step()
        _synchronise(device)
        times.append(time.perf_counter() - start)
    return {"seconds": statistics.median(times[2:])}


def epoch(subject: Subject) -> dict[str, Any]:
    """The second epoch of the model's own recipe, and the share of time spent on input."""
    recipe = subject.recipe(subject.dataset.corpus["corpus"], epochs=2)
    device = set_up(recipe.device, recipe.threads)
    whole = vars(subject.dataset.subset("train"))
    ends: list[tuple[float, float]] = []

    def normalise(x: torch.Tensor) -> torch.Tensor:
        start = time.perf_counter()
        normalised = (x.float() - 0.5) / 0.25
        TimedSubset.seconds += time.perf_counter() - start
        return normalised

    loop.fit(
        subject.network(),
        normalise,
        FeatureClips(TimedSubset(**whole), normalise, recipe),
        subject.dataset.subset("val"),
        recipe,
        seed=0,
        device=device,
        on_epoch=lambda *_: ends.append((time.perf_counter(), TimedSubset.seconds)),
    )
    (before, input_before), (after, input_after) = ends
    share = (input_after - input_before) / (after - before)
    n_train = len(subject.dataset.rows["train"])
    return {"seconds": after - before, "input_share": round(share, 5), "n_train": n_train}


def reference_epoch(subject: Subject) -> dict[str, Any]:
    """The second epoch as in the notebooks, timed on some of the clips."""
    device = subject.plain_device()
    read = READERS[subject.section.features]()
    archive = ClipArchive(subject.data / "raw/audio.zip")
    listed = read_manifest(subject.data / "raw/manifest.csv")[["path", "sha256"]]
    share = min(1.0, REFERENCE_CLIPS / len(subject.dataset.rows["train"]))
    clips = {}
    with tempfile.TemporaryDirectory() as folder:
        for subset in ("train", "val"):
            rows = subject.dataset.rows[subset]
            rows = rows[: max(1, round(share * len(rows)))]
            files = [Path(folder) / f"{i}.wav" for i in rows]
            for file, (path, digest) in zip(files, listed.iloc[rows].to_numpy(), strict=True):
                file.write_bytes(archive.read(path, digest))
            clips[subset] = files, subject.dataset.whole.y[rows].tolist()
        _, seconds = train(subject.network(), read, clips, 2, device)
    times = {1: "once", 2: "twice"}[read.passes]
    how = f"every clip read and transformed {times}, plain float32 Adam"
    if share < 1:
        how += f", on {len(clips['train'][0])} clips and scaled"
    return {"seconds": seconds / share, "how": how}


def floor(subject: Subject) -> dict[str, Any]:
    """The least time of a step: memory traffic and arithmetic at the rates measured here.

    Adam reads weight, gradient and two moments and writes all but the gradient: 7 x 4 bytes a
    weight. The products read the weights twice and write the gradients once, or compute 6
    operations a weight use in the precision that `step` has, whichever takes longer. The two
    are added, since Adam cannot begin before the last gradient.
    """
    device = subject.plain_device()
    network = subject.network()
    assert isinstance(network, cnn.Network)
    n_weights = sum(p.numel() for p in network.parameters())
    batch = subject.dataset.subset("train").take(np.arange(BATCH))
    flops = 3 * 2 * _multiply_accumulates(network, batch)
    in_bfloat16 = use_bfloat16(subject.recipe("audiomnist").precision, device)
    dtype = torch.bfloat16 if in_bfloat16 else torch.float32
    bandwidth, rate = _bandwidth(device), _rate(device, dtype)
    adam_s = 7 * 4 * n_weights / bandwidth
    products_s = max(3 * 4 * n_weights / bandwidth, flops / rate)
    how = (
        f"{bandwidth / 1e9:,.1f} GB/s and {rate / 1e9:,.0f} GFLOP/s in "
        f"{str(dtype).removeprefix('torch.')} measured here, Adam {adam_s:.4f} s, products "
        f"{products_s:.4f} s"
    )
    return {"seconds": adam_s + products_s, "how": how}


MEASURES: dict[str, Callable[[Subject], dict[str, Any]]] = {
    "step": step,
    "own_step": own_step,
    "compiled": compiled,
    "reference": reference,
    "epoch": epoch,
    "reference_epoch": reference_epoch,
    "floor": floor,
}


def _multiply_accumulates(network: nn.Module, batch: Batch) -> int:
    """Multiply-accumulates of a forward pass of the batch."""
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


def _bandwidth(device: torch.device) -> float:
    """Bytes a second of a += b on arrays far larger than any cache; the best of several."""
    n = 2**26
    a, b = torch.ones(n, device=device), torch.ones(n, device=device)
    return 3 * 4 * n / _best(lambda: a.add_(b), device)


def _rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product; the best of several."""
    n = 2048 if device.type == "cpu" else 8192
    a, b = (torch.rand(n, n, device=device).to(dtype) for _ in range(2))
    out = torch.empty(n, n, device=device, dtype=dtype)
    return 2 * n**3 / _best(lambda: torch.mm(a, b, out=out), device)


def _best(call: Callable[[], Any], device: torch.device) -> float:
    times = []
    for _ in range(8):
        start = time.perf_counter()
        call()
        _synchronise(device)
        times.append(time.perf_counter() - start)
    return min(times)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=list(MEASURES))
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--arithmetic", choices=("portable", "fast"), default="fast")
    arguments = parser.parse_args()
    config = read_config(Path("params.yaml"))
    dataset = load_dataset(arguments.data, read_model_params(config, arguments.model).features)
    subject = Subject(data=arguments.data, dataset=dataset, config=config, model=arguments.model)
    answer = MEASURES[arguments.what](subject)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps({**answer, "peak_rss_mib": round(peak)}))


if __name__ == "__main__":
    errors.run(main)
