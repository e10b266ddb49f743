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
from spoken_digits.training.checkpoint import alone
from spoken_digits.training.distributed import joined
from spoken_digits.training.experiment import train_model
from spoken_digits.training.plan import read_checkpoint_seconds, read_plan
from spoken_digits.training.planned import load_planned
from spoken_digits.training.writing import write_trained

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
            write_trained(trained, MODELS, CURVES, name)
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


if __name__ == "__main__":
    errors.run(main)
