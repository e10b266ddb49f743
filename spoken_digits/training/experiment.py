"""From feature tensors to a trained model: what `train`, `evaluate` and the seed study share."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from spoken_digits import budget, splits
from spoken_digits.errors import UserError
from spoken_digits.io import files, manifest
from spoken_digits.io.feature_store import read_features
from spoken_digits.io.files import sha256
from spoken_digits.models.model_file import ModelCard, as_floats
from spoken_digits.models.networks import Network, make_network, n_parameters
from spoken_digits.models.params import LstmParams, ModelParams, read_model_params
from spoken_digits.training import loop
from spoken_digits.training.data import Subset, fit_normalisation
from spoken_digits.training.distributed import ALONE, World
from spoken_digits.training.recipe import read_recipe


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The clips of a corpus as features, with their split."""

    whole: Subset
    """Every clip."""
    rows: Mapping[str, NDArray[np.int64]]
    """Row numbers of each subset."""
    utterances: list[str]
    labels: list[str]
    """Class i is labels[i]."""
    description: dict[str, Any]
    """Kind and parameters of the features."""
    fingerprint: str
    """Changes with the recordings, the features or the split."""
    corpus: dict[str, Any]
    """Name, version, fingerprint, synthetic."""

    def subset(self, name: str) -> Subset:
        """The clips of train, val or test."""
        return dataclasses.replace(self.whole, rows=self.rows[name])

    def actual(self, name: str) -> NDArray[np.int64]:
        """Class numbers (n,) of the clips of train, val or test."""
        return self.whole.y[self.rows[name]]

    @property
    def input_shape(self) -> tuple[int, int]:
        """(n_frames, n_coefficients) of one clip."""
        return self.whole.x.shape[1], self.whole.x.shape[2]


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A model, trained."""

    card: ModelCard
    network: Network
    state: loop.TrainingState
    n_parameters: int
    checkpoint: Path | None
    """Where the state to resume from was kept."""


def load_dataset(data: Path, everything: Mapping[str, Any], model: str) -> Dataset:
    """The data that `model` learns from.

    Parameters
    ----------
    data
        Folder with raw/, features/ and split.csv as the stages make them.
    everything
        params.yaml.
    model
        Name of the model; its section names the kind of features.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another corpus.
    """
    kind = read_model_params(everything, model).features
    table = manifest.read_manifest(data / "raw" / "manifest.csv")
    provenance = files.read_json(data / "raw" / "provenance.json", "dvc repro download")
    store = read_features(data / "features" / kind, table)
    rows = splits.read_split(data / "split.csv", table)
    labels = manifest.labels(table)
    number = {label: i for i, label in enumerate(labels)}
    split_digest = sha256(b"".join(rows[subset].tobytes() for subset in splits.SUBSETS))
    return Dataset(
        whole=Subset(
            x=store.x,
            n_frames=store.n_frames,
            y=np.array([number[label] for label in table["label"]], np.int64),
            rows=np.arange(len(table)),
        ),
        rows=rows,
        utterances=table["utterance"].tolist(),
        labels=labels,
        description=store.description,
        fingerprint=sha256(f"{store.fingerprint} {split_digest}".encode()),
        corpus={key: provenance[key] for key in ("corpus", "version", "fingerprint", "synthetic")},
    )


def check_fits(card: ModelCard, path: Path, dataset: Dataset) -> None:
    """Refuse to measure a model on words or features that are not its own.

    Raises
    ------
    UserError
        Naming the file and what differs.
    """
    again = f"train it again with `dvc repro train@{card.name}`"
    if card.labels != dataset.labels:
        raise UserError(
            f"{path} was trained on the words {', '.join(card.labels)}, "
            f"the corpus has {', '.join(dataset.labels)}: {again}"
        )
    if card.features != dataset.description:
        raise UserError(f"{path} was trained on features of other parameters: {again}")


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
    everything: Mapping[str, Any],
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
    everything
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
    params = read_model_params(everything, name)
    recipe = read_recipe(everything, name, params, dataset.corpus["corpus"])
    device = loop.set_up(recipe.device, recipe.threads)
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
