"""Stage `train`: train one model and keep its best validation epoch.

Reads   data/plans/<model>.json, data/features/<kind>/, data/raw/manifest.csv,
        data/raw/provenance.json, data/split.csv; data/voices/train/ where the plan has voices
Writes  models/<model>.safetensors, plots/curves/<model>.csv
Run     python stages/train.py lstm
        torchrun --nproc-per-node 2 stages/train.py lstm

Checkpoints lie in .resume/ while it trains. If killed, run the same command to resume.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import time
from contextlib import nullcontext
from pathlib import Path

from spoken_digits import errors
from spoken_digits.evaluation.tables import corpus_name
from spoken_digits.io import files
from spoken_digits.models.card import write_model
from spoken_digits.training.checkpoint import alone
from spoken_digits.training.distributed import joined
from spoken_digits.training.experiment import TrainedModel, train_model
from spoken_digits.training.loop import CURVE_COLUMNS
from spoken_digits.training.plan import read_checkpoint_seconds, read_plan
from spoken_digits.training.planned import load_planned

DATA = Path("data")
PLANS = DATA / "plans"
MODELS = Path("models")
CURVES = Path("plots/curves")
RESUME = Path(".resume")


def main() -> None:
    name = parse_arguments().model
    start = time.monotonic()
    plan = read_plan(PLANS, name, Path("params.yaml"))
    dataset = load_planned(DATA, plan)
    with joined() as world, alone(RESUME, name) if world.is_first else nullcontext():
        trained = train_model(
            dataset,
            plan,
            resume_folder=RESUME,
            checkpoint_seconds=read_checkpoint_seconds(PLANS),
            world=world,
        )
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
    corpus = corpus_name(trained.card.corpus)
    rows = [
        [int(row[0]), *(f"{value:.6g}" for value in row[1:]), corpus] for row in trained.state.curve
    ]
    files.write_csv(CURVES / f"{name}.csv", (*CURVE_COLUMNS, "corpus"), rows)
    write_model(MODELS / f"{name}.safetensors", trained.card, trained.network.state_dict())
    if trained.checkpoint is not None:
        trained.checkpoint.remove()


if __name__ == "__main__":
    errors.run(main)
