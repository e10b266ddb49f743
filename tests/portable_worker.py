"""Everything that must be the same on every processor, done once; test_portable.py compares.

Run     python tests/portable_worker.py [MODEL...]      from the top folder; prints JSON
        python tests/portable_worker.py --full-products

Models that are named are computed alone, without features, products and what is counted. With
--full-products only the matrix products of the largest layer are computed, at full size.

With --unpinned the libraries choose their kernels by the processor, all else being equal.
"""

from __future__ import annotations

import sys

import lean_torch  # noqa: F401

if "--unpinned" not in sys.argv:
    import spoken_digits.arithmetic.portable  # noqa: F401

import dataclasses
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spoken_digits import arithmetic
from spoken_digits.augmentation.base import TrainingClips
from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.augmentation.sound.clips import SoundClips
from spoken_digits.config import Config, read_config
from spoken_digits.data.dataset import Normalisation, Subset, fit_normalisation
from spoken_digits.evaluation.inference import predict
from spoken_digits.evaluation.metrics import accuracy_metrics, cross_entropy
from spoken_digits.features.registry import kinds, make_extractor
from spoken_digits.integer.float_graph import calibrate
from spoken_digits.integer.limits import SCHEMES
from spoken_digits.integer.qat import QatParams, by_validation, fine_tune
from spoken_digits.models import portable_lstm
from spoken_digits.models.card import ModelCard, as_floats
from spoken_digits.models.device import set_up
from spoken_digits.models.params import names, read_model_params
from spoken_digits.quantization import int8_dynamic, integer_ds_cnn, integer_lstm
from spoken_digits.training import loop
from spoken_digits.training.planning import describe_network, read_recipe
from spoken_digits.training.recipe import Recipe

# Emulated arithmetic is some hundred times slower: enough clips and frames for every kernel.
STEPS = 2
BATCH = 10
SOUND_BATCH = 4
"""Convolutions over whole clips: each costs as much as an LSTM over forty."""
COVERED = {"micro", "lstm_int8_36kb", "lstm_36kb_sound"}
"""Have the layers of `tiny` and `lstm_36kb`; `tiny` is trained on varied sound too."""
N_VAL = 8
N_ROWS, UNITS = 96 * 36, 128
"""Frames of a batch, and units, of the largest LSTM."""
FINE_TUNED = "micro"
"""Convolutions in float64 take minutes in emulation: only where `make test-all` runs it."""
N_FRAMES = 8
N_COEFFICIENTS = 13
CPU = torch.device("cpu")


def main() -> None:
    chosen = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if "--full-products" in sys.argv:
        print_results({"products": products(N_ROWS, UNITS)})
        return
    config = read_config(Path("params.yaml"))
    # oneDNN's LSTM crashes in emulation: unpinned or not, the kernels under test are ours.
    portable_lstm.applies = lambda x: True
    hashes = {} if chosen else features(config) | {"products": products(N_ROWS // 36, UNITS // 8)}
    for name in chosen or (name for name in names(config) if name not in COVERED):
        recipe = read_recipe(config, name, read_model_params(config, name), "fsdd")
        if recipe.arithmetic == "portable":
            hashes |= model(config, name, recipe, counts=not chosen)
    print_results(hashes)


def print_results(hashes: dict[str, str]) -> None:
    seconds = round(time.process_time(), 1)
    print(json.dumps({"seconds": seconds, "used": arithmetic.effective(), "hashes": hashes}))


def features(config: Config) -> dict[str, str]:
    """Each kind of features, of noise that swells and of noise at a level."""
    hashes = {}
    for kind in kinds():
        extractor = make_extractor(kind, config)
        rng = np.random.default_rng(0)
        n = extractor.sample_rate // 2
        waveforms = [rng.uniform(-1, 1, n).astype(np.float32) * scale for scale in (0.02, 0.9)]
        waveforms[0] *= np.linspace(0, 1, n, dtype=np.float32) ** 2
        x, n_frames = extractor(waveforms)
        hashes[f"features {kind}"] = digest(x, n_frames)
    return hashes


def products(n_rows: int, n_units: int) -> str:
    """The matrix products of a layer of `UNITS` units, over some of its rows and units.

    Where they sum, they are as long as in training: a library may cut long sums by cache sizes.
    """
    generator = torch.Generator().manual_seed(0)
    shapes = ((N_ROWS, UNITS), (4 * UNITS, UNITS), (N_ROWS, 4 * UNITS))
    below, weight, above = (torch.rand(shape, generator=generator) - 0.5 for shape in shapes)
    product = portable_lstm.product
    made = (
        product(below[:n_rows], weight),
        product(above[:n_rows], weight.t()),
        product(below.t().contiguous(), above[:, : 4 * n_units].t()),
        above.sum(0),
    )
    return digest(*(one.numpy() for one in made))


def model(config: Config, name: str, recipe: Recipe, counts: bool) -> dict[str, str]:
    """A few steps of training, its logits, loss and metrics, and each quantization of it.

    Metrics of counts, whose libraries take long to import in emulation, only if `counts`.
    """
    params = read_model_params(config, name)
    batch = BATCH if params.augmentation == "features" else SOUND_BATCH
    recipe = dataclasses.replace(recipe, epochs=1, batch_size=batch)
    device = set_up(recipe.device, recipe.threads)
    train, val = clips(STEPS * BATCH), clips(N_VAL)
    varied: TrainingClips
    if params.augmentation == "sound":
        varied, val = sound(make_extractor(params.features, config), recipe)
        normalisation = varied.normalisation
    else:
        normalisation = Normalisation(*fit_normalisation(train, recipe.normalisation))
        varied = FeatureClips(train, normalisation, recipe)
    shape = (val.x.shape[1], val.x.shape[2])
    card = ModelCard(
        name=name,
        architecture=describe_network(params, shape[1], 10),
        labels=[str(i) for i in range(10)],
        features={"kind": params.features},
        input_shape=shape,
        mean=as_floats(normalisation.mean),
        std=as_floats(normalisation.std),
        best_epoch=1,
        corpus={},
    )
    torch.manual_seed(0)
    network = card.make_network()
    state = loop.fit(network, card.normalise, varied, val, recipe, seed=0, device=device)
    logits = predict(network, card.normalise, val, CPU).numpy()
    exact = logits.astype(np.float64)
    hashes = {
        f"{name} weights": digest(*(w.numpy() for w in network.state_dict().values())),
        f"{name} curve": digest(np.array(state.curve)),
        f"{name} logits": digest(logits),
        f"{name} loss": digest(np.array(cross_entropy(exact, val.y))),
    }
    if counts:
        metrics = accuracy_metrics(exact, val.y)
        hashes[f"{name} metrics"] = digest(np.array([float(value) for value in metrics.values()]))
    dynamic = int8_dynamic.quantize(network, ("lstm", "linear"))
    hashes[f"{name} int8_dynamic"] = digest(predict(dynamic, card.normalise, val, CPU).numpy())
    for scheme in SCHEMES if params.features == "mfcc_int" else ():
        qat = dataclasses.replace(config.section(f"quantize.{scheme}", QatParams), epochs=1)
        integers = integer_lstm.quantize(
            card, network.state_dict(), train, val, scheme, qat, seed=0
        )
        hashes[f"{name} {scheme}"] = digest(*integers.arrays().values())
    if params.features == "log_mel":
        described = make_extractor(params.features, config).describe()
        card = dataclasses.replace(card, features=described)
        parent = integer_ds_cnn.float_graph(card, network.state_dict())
        steps = np.round(np.asarray(val.x) / described["step_db"]).astype(np.int8)
        calibrated = calibrate(parent, steps)
        hashes[f"{name} int8"] = digest(*calibrated.quantised("int8").arrays().values())
        if name == FINE_TUNED:
            n_frames = np.full(len(steps), parent.n_frames)
            tuned = fine_tune(
                calibrated,
                steps,
                n_frames,
                val.y,
                code="pow2",
                params=dataclasses.replace(config.section("quantize.pow2", QatParams), epochs=1),
                seed=0,
                score=by_validation(steps[:0], n_frames[:0], val.y[:0]),
            )
            hashes[f"{name} pow2"] = digest(*tuned.arrays().values())
    return hashes


def sound(extractor: Any, recipe: Recipe) -> tuple[SoundClips, Subset]:
    """Recordings of ten words by two talkers whose sound is varied, and features of some more."""
    rng = np.random.default_rng(3)
    n = STEPS * SOUND_BATCH + N_VAL
    time_s = np.arange(2000) / extractor.sample_rate
    pitch = 100 + 150 * rng.random((n, 1)) + 400 * (np.arange(n) % 10)[:, None] * time_s
    waves = 0.3 * np.sin(2 * np.pi * pitch * time_s) + 0.02 * rng.standard_normal((n, 2000))
    waveforms = list(waves.astype(np.float32))
    y = np.arange(n) % 10
    x, n_frames = extractor(waveforms[-N_VAL:])
    varied = SoundClips(
        waveforms[:-N_VAL],
        y[:-N_VAL],
        np.arange(n - N_VAL) % 2,
        extractor,
        dataclasses.replace(recipe.sound, mel_banks=3),
        recipe.epochs,
        recipe.normalisation,
        seed=0,
    )
    return varied, Subset(x=x, n_frames=n_frames, y=y[-N_VAL:], rows=np.arange(N_VAL))


def clips(n: int) -> Subset:
    """Clips of ten distinguishable words, int8."""
    rng = np.random.default_rng(n)
    y = np.arange(n) % 10
    word = np.random.default_rng(1).integers(-60, 60, (10, N_FRAMES, N_COEFFICIENTS))
    x = word[y] + rng.integers(-40, 41, (n, N_FRAMES, N_COEFFICIENTS))
    n_frames = rng.integers(5, N_FRAMES + 1, n).astype(np.int32)
    return Subset(x=x.astype(np.int8), n_frames=n_frames, y=y, rows=np.arange(n))


def digest(*arrays: NDArray[Any]) -> str:
    joined = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    return hashlib.sha256(joined).hexdigest()[:16]


if __name__ == "__main__":
    main()
