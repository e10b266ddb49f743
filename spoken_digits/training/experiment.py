"""From feature tensors to a trained model."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from spoken_digits import arithmetic
from spoken_digits.augmentation import augmentation
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256
from spoken_digits.io.sources import digest_of
from spoken_digits.models.base import BaseNetwork
from spoken_digits.models.card import ModelCard, as_floats, who_was_heard
from spoken_digits.models.device import set_up
from spoken_digits.models.networks import make_network, n_parameters
from spoken_digits.training import loop
from spoken_digits.training.checkpoint import Checkpoint
from spoken_digits.training.distributed import ALONE, World
from spoken_digits.training.guests import NOBODY, Guests
from spoken_digits.training.plan import Plan


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A trained model."""

    card: ModelCard
    network: BaseNetwork
    state: loop.TrainingState
    n_parameters: int
    checkpoint: Checkpoint | None
    """The checkpoint that was written while training."""


def train_model(
    dataset: Dataset,
    plan: Plan,
    *,
    guests: Guests = NOBODY,
    resume_folder: Path | None = None,
    checkpoint_seconds: float = 60.0,
    world: World = ALONE,
) -> TrainedModel:
    """Train one model.

    Parameters
    ----------
    dataset
        From `load_dataset`.
    plan
        What to train, and how.
    guests
        Train clips that train in the first epochs only.
    resume_folder
        Where checkpoints are kept; None keeps none.
    checkpoint_seconds
        Shortest time between two checkpoints.
    world
        The processes that train together; each of them calls this function.
    """
    name, recipe, seed = plan.model, plan.recipe, plan.seed
    if (plan.corpus, plan.n_classes) != (dataset.corpus["corpus"], len(dataset.labels)):
        raise UserError(
            f"the plan of {name} is for {plan.n_classes} words of {plan.corpus}, the corpus here "
            f"is {dataset.corpus['corpus']} with {len(dataset.labels)}: run `dvc repro plan`"
        )
    arithmetic.require(recipe.arithmetic)
    device = set_up(recipe.device, recipe.threads)
    prepared = augmentation(plan.augmentation).prepare(dataset, recipe, seed)
    shape, n_classes = dataset.input_shape, len(dataset.labels)
    card = ModelCard(
        name=name,
        architecture=plan.architecture,
        labels=dataset.labels,
        features=dataset.description,
        input_shape=shape,
        mean=as_floats(prepared.normalisation.mean),
        std=as_floats(prepared.normalisation.std),
        best_epoch=0,
        corpus=dataset.corpus,
        split=dataset.split,
        **who_was_heard(dataset.heard("train")),
    )
    torch.manual_seed(seed)
    network = make_network(card.architecture, shape, n_classes)
    checkpoint = None
    if resume_folder is not None:
        key = _digest(plan, dataset, guests, world.size)
        checkpoint = Checkpoint(
            path=resume_folder / f"{name}-{key[:16]}.pt", every_s=checkpoint_seconds
        )
    hidden = None if world.is_first else True  # None: where nobody watches
    with tqdm(total=recipe.epochs, desc=name, unit="epoch", disable=hidden) as bar:

        def report(epoch: int, row: tuple[float, ...]) -> None:
            bar.set_postfix(train=f"{row[2]:.3f}", val=f"{row[4]:.3f}")
            bar.update(epoch - bar.n)

        state = loop.fit(
            network,
            card.normalise,
            prepared.clips,
            dataset.subset("val"),
            recipe,
            seed=seed,
            device=device,
            guests=guests,
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


def _digest(plan: Plan, dataset: Dataset, guests: Guests, n_processes: int) -> str:
    """Digest of all that decides the result of a training: plan, data, code, libraries, and how
    many processes share it, each of which draws by itself.
    """
    architecture = f"spoken_digits.models.architectures.{plan.architecture['name']}"
    varied = f"spoken_digits.augmentation.{plan.augmentation}"
    code = digest_of([__name__, architecture, varied])
    decides = [
        dataclasses.asdict(plan),
        dataclasses.asdict(guests),
        dataset.fingerprint,
        code,
        n_processes,
    ]
    return sha256(json.dumps(decides, sort_keys=True).encode())
