"""Stage `train`: one model, best validation epoch kept.

Reads   data/features/<kind>/, data/raw/manifest.csv, data/raw/provenance.json, data/split.csv,
        params.yaml: seed, train, and the model's section
Writes  models/<model>.safetensors, plots/curves/<model>.csv
Run     python stages/train.py lstm
        torchrun --nproc-per-node 2 stages/train.py lstm

A state to resume from lies in .resume/ while training; after a kill the same command goes on.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import time
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.loading import load_dataset
from spoken_digits.io import files
from spoken_digits.models.card import write_model
from spoken_digits.models.params import read_model_params
from spoken_digits.training.distributed import joined
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.loop import CURVE_COLUMNS

DATA = Path("data")
MODELS = Path("models")
CURVES = Path("plots/curves")
RESUME = Path(".resume")


def main() -> None:
    name = parse_arguments().model
    config = read_config(Path("params.yaml"))
    seed = config.value("seed", int)
    start = time.monotonic()
    dataset = load_dataset(DATA, read_model_params(config, name).features)
    with joined() as world:
        trained = train_model(dataset, config, name, seed, resume_folder=RESUME, world=world)
        if world.is_first:
            write(trained)
            best = trained.state.curve[trained.state.best_epoch - 1]
            print(
                f"{name}: {trained.n_parameters:,} parameters, best epoch "
                f"{trained.state.best_epoch} of {len(trained.state.curve)}, "
                f"validation accuracy {best[4]:.4f}, {time.monotonic() - start:.0f} s"
            )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="lstm, or a name under `variants` in params.yaml")
    return parser.parse_args()


def write(trained: TrainedModel) -> None:
    name = trained.card.name
    rows = [[int(row[0]), *(f"{value:.6g}" for value in row[1:])] for row in trained.state.curve]
    files.write_csv(CURVES / f"{name}.csv", CURVE_COLUMNS, rows)
    write_model(MODELS / f"{name}.safetensors", trained.card, trained.network.state_dict())
    if trained.checkpoint is not None:
        trained.checkpoint.unlink(missing_ok=True)


if __name__ == "__main__":
    errors.run(main)
