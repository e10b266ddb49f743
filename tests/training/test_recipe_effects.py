"""The effect of each knob of the recipe on the inputs of network and optimizer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from recipes import RECIPE
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.data.dataset import Subset
from spoken_digits.models.device import set_up
from spoken_digits.models.networks import make_network
from spoken_digits.training import loop
from spoken_digits.training.recipe import Recipe

N_CLIPS, N_FRAMES, N_COEFFICIENTS = 48, 12, 5

PLAIN = dataclasses.replace(
    RECIPE,
    epochs=1,
    schedule="constant",
    gradient_clip=None,
    time_mask=0,
    coefficient_mask=0,
    time_shift=0,
    noise=0.0,
)
"""One epoch without augmentation."""

STANDING = dataclasses.replace(PLAIN, learning_rate=1e-12)
"""One epoch in which the weights hardly move."""


@pytest.fixture
def clips() -> Subset:
    """Three words that differ in which coefficient is large; the last coefficient is 0."""
    rng = np.random.default_rng(0)
    y = np.arange(N_CLIPS) % 3
    x = rng.normal(0, 1, (N_CLIPS, N_FRAMES, N_COEFFICIENTS)).astype(np.float32)
    x[np.arange(N_CLIPS), :, y] += 2.0
    x[:, :, -1] = 0.0
    n_frames = np.full(N_CLIPS, N_FRAMES, np.int32)
    return Subset(x=x, n_frames=n_frames, y=y, rows=np.arange(N_CLIPS))


@pytest.fixture
def norms() -> Iterator[list[float]]:
    """Norm of the gradient at every step of an optimizer, as the optimizer gets it."""
    seen: list[float] = []

    def look(optimizer: torch.optim.Optimizer, *_: object) -> None:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        seen.append(float(torch.cat([grad.flatten() for grad in gradients]).norm()))

    handle = register_optimizer_step_pre_hook(look)
    yield seen
    handle.remove()


def lstm() -> nn.Module:
    torch.manual_seed(3)
    architecture = {
        "name": "lstm",
        "hidden_dim": 8,
        "num_layers": 1,
        "dropout": 0.0,
        "pooling": "mean",
    }
    return make_network(architecture, (N_FRAMES, N_COEFFICIENTS), 3)


def cnn(n_coefficients: int) -> nn.Module:
    torch.manual_seed(3)
    architecture = {
        "name": "cnn",
        "conv_channels": (2, 3),
        "kernel_size": 3,
        "linear_dims": (4,),
        "dropout": 0.0,
    }
    return make_network(architecture, (N_FRAMES, n_coefficients), 3)


def fit(network: nn.Module, clips: Subset, recipe: Recipe) -> loop.TrainingState:
    device = set_up("cpu", 1)
    varied = FeatureClips(clips, lambda x: x, recipe)
    return loop.fit(network, lambda x: x, varied, clips, recipe, seed=7, device=device)


def inputs_of(network: nn.Module, clips: Subset, recipe: Recipe, training: bool) -> np.ndarray:
    """The network's inputs in one epoch, (N_CLIPS, N_FRAMES, N_COEFFICIENTS)."""
    heard: list[torch.Tensor] = []

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if module.training == training:
            heard.append(inputs[0].clone())

    network.register_forward_pre_hook(look)
    fit(network, clips, recipe)
    return torch.cat(heard).numpy()


def test_the_gradient_is_clipped_to_the_norm_asked_for(clips, norms):
    fit(lstm(), clips, STANDING)
    free = list(norms)
    assert len(free) == 3
    assert min(free) > 0.05
    middle = sorted(free)[1]
    for limit in (0.01, middle):
        norms.clear()
        fit(lstm(), clips, dataclasses.replace(STANDING, gradient_clip=limit))
        np.testing.assert_allclose(norms, np.minimum(free, limit), rtol=1e-3)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adamw_shrinks_weights_that_nothing_else_moves(clips, weight_decay):
    """The last coefficient is 0, so its weights get no gradient."""
    network = lstm()
    before = network.lstm.weight_ih_l0[:, -1].detach().clone()
    recipe = dataclasses.replace(PLAIN, optimizer="adamw", weight_decay=weight_decay)
    fit(network, clips, recipe)
    expected = before * (1 - recipe.learning_rate * weight_decay) ** 3  # three steps
    torch.testing.assert_close(network.lstm.weight_ih_l0[:, -1].detach(), expected)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_takes_the_decay_as_a_gradient(clips, weight_decay):
    """So each of these weights moves towards 0 by the learning rate."""
    network = lstm()
    before = network.lstm.weight_ih_l0[:, -1].detach().clone()
    recipe = dataclasses.replace(PLAIN, weight_decay=weight_decay, batch_size=N_CLIPS)
    fit(network, clips, recipe)
    step = recipe.learning_rate if weight_decay else 0.0
    moved = network.lstm.weight_ih_l0[:, -1].detach() - before
    torch.testing.assert_close(moved, -step * before.sign(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_label_smoothing_is_in_the_training_loss_alone(clips, smoothing):
    network = lstm()
    with torch.no_grad():
        network.linear.weight *= 20.0  # decided answers, which smoothing costs most
    recipe = dataclasses.replace(STANDING, label_smoothing=smoothing)
    _, train_loss, _, val_loss, *_ = fit(network, clips, recipe).curve[0]
    logits = network(torch.from_numpy(clips.x), torch.from_numpy(clips.n_frames)).detach()
    y = torch.from_numpy(clips.y)
    spread = nn.functional.one_hot(y, 3) * (1 - smoothing) + smoothing / 3

    def loss(target: torch.Tensor) -> float:
        return -float((target * logits.log_softmax(1)).sum(1).mean())

    assert train_loss == pytest.approx(loss(spread), rel=1e-5)
    assert val_loss == pytest.approx(loss(nn.functional.one_hot(y, 3)), rel=1e-5)


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_maps_are_in_the_memory_format_asked_for(clips, memory_format):
    wide = np.repeat(clips.x, 4, axis=2)
    clips = dataclasses.replace(clips, x=wide)
    network = cnn(wide.shape[2])
    weight = network.convolutions[3].weight  # of more than one channel in and out
    strides = set()
    network.register_forward_pre_hook(
        lambda *_: strides.add(weight.is_contiguous(memory_format=torch.channels_last))
    )
    fit(network, clips, dataclasses.replace(STANDING, memory_format=memory_format))
    assert strides == {memory_format == "channels_last"}


@pytest.mark.parametrize("deviation", [0.0, 0.3, 1.5])
def test_training_adds_noise_of_the_given_deviation(clips, deviation):
    clips = dataclasses.replace(clips, x=np.zeros_like(clips.x))
    recipe = dataclasses.replace(STANDING, noise=deviation)
    heard = inputs_of(lstm(), clips, recipe, training=True)
    assert heard.shape == clips.x.shape
    assert heard.std() == pytest.approx(deviation, rel=0.05)
    assert abs(heard.mean()) <= 0.05 * deviation
    if deviation:
        assert len(np.unique(heard)) > 0.99 * heard.size  # another value everywhere


def test_validation_hears_the_clips_as_they_are(clips):
    loud = dataclasses.replace(
        STANDING, noise=1.0, time_mask=4, time_shift=3, time_trim=2, time_stretch=0.2
    )
    heard = inputs_of(lstm(), clips, loud, training=False)
    np.testing.assert_array_equal(heard, clips.x)


@pytest.mark.parametrize("bucket_batches", [1, 2])
def test_every_epoch_has_its_own_random_order(clips, bucket_batches):
    clips.x[:, 0, -1] = np.arange(N_CLIPS)  # a mark
    recipe = dataclasses.replace(STANDING, epochs=2, bucket_batches=bucket_batches)
    marks = inputs_of(lstm(), clips, recipe, training=True)[:, 0, -1].astype(int)
    first, second = marks[:N_CLIPS].tolist(), marks[N_CLIPS:].tolist()
    assert sorted(first) == sorted(second) == list(range(N_CLIPS))
    assert first != second
    for order in (first, second):
        assert abs(np.corrcoef(order, range(N_CLIPS))[0, 1]) < 0.5
