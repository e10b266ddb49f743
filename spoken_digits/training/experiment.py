"""From feature tensors to a trained model: what `train`, `evaluate` and the seed study share."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from spoken_digits import arithmetic
from spoken_digits.config import Config
from spoken_digits.data.dataset import fit_normalisation
from spoken_digits.data.loading import Dataset
from spoken_digits.io.files import sha256
from spoken_digits.models import budget
from spoken_digits.models.card import ModelCard, as_floats
from spoken_digits.models.device import set_up
from spoken_digits.models.networks import Network, make_network, n_parameters
from spoken_digits.models.params import LstmParams, ModelParams, read_model_params
from spoken_digits.training import loop
from spoken_digits.training.distributed import ALONE, World
from spoken_digits.training.recipe import read_recipe


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model, trained."""

    card: ModelCard
    network: Network
    state: loop.TrainingState
    n_parameters: int
    checkpoint: Path | None
    """Where the state to resume from was kept."""


def describe_network(params: ModelParams, n_coefficients: int, n_classes: int) -> dict[str, Any]:
    """`name` and keyword arguments of the network, a null hidden size solved from its budget."""
    described = dataclasses.asdict(params)
    for key in ("features", "budget", "train", "train_on"):
        described.pop(key, None)
    if isinstance(params, LstmParams) and params.hidden_dim is None:
        assert params.budget is not None  # the section refuses to be without both
        described["hidden_dim"] = budget.largest_hidden_dim(
            params.budget, params.num_layers, n_coefficients, n_classes
        )
    return {"name": described.pop("architecture"), **described}


def train_model(
    dataset: Dataset,
    config: Config,
    name: str,
    seed: int,
    resume_folder: Path | None = None,
    world: World = ALONE,
) -> TrainedModel:
    """Train one model by its sections of params.yaml.

    Parameters
    ----------
    dataset
        From `load_dataset`.
    config
        params.yaml.
    name
        Name of the model.
    seed
        Draws initial weights, order, dropout and augmentation.
    resume_folder
        Where a state to resume from is kept, named after everything that decides the result.
    world
        The processes that train together; every one calls this function.
    """
    params = read_model_params(config, name)
    recipe = read_recipe(config, name, params, dataset.corpus["corpus"])
    arithmetic.require(recipe.arithmetic)
    device = set_up(recipe.device, recipe.threads)
    train = dataset.subset("train")
    mean, std = fit_normalisation(train, recipe.normalisation)
    shape, n_classes = dataset.input_shape, len(dataset.labels)
    card = ModelCard(
        name=name,
        architecture=describe_network(params, shape[1], n_classes),
        labels=dataset.labels,
        features=dataset.description,
        input_shape=shape,
        mean=as_floats(mean),
        std=as_floats(std),
        best_epoch=0,
        corpus=dataset.corpus,
    )
    torch.manual_seed(seed)
    network = make_network(card.architecture, shape, n_classes)
    checkpoint = None
    if resume_folder is not None:
        decides = [dataclasses.asdict(card), dataclasses.asdict(recipe), seed, dataset.fingerprint]
        key = sha256(json.dumps(decides, sort_keys=True).encode())[:16]
        checkpoint = resume_folder / f"{name}-{key}.pt"
    hidden = None if world.is_first else True  # None: where nobody watches
    with tqdm(total=recipe.epochs, desc=name, unit="epoch", disable=hidden) as bar:

        def report(epoch: int, row: tuple[float, ...]) -> None:
            bar.set_postfix(train=f"{row[2]:.3f}", val=f"{row[4]:.3f}")
            bar.update(epoch - bar.n)

        state = loop.fit(
            network,
            card.normalise,
            train,
            dataset.subset("val"),
            recipe,
            seed=seed,
            device=device,
            world=world,
            checkpoint=checkpoint,
            on_epoch=report,
        )
    return TrainedModel(
        card=dataclasses.replace(card, best_epoch=state.best_epoch),
        network=network,
        state=state,
        n_parameters=n_parameters(network),
        checkpoint=checkpoint,
    )
