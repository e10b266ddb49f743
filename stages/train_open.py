"""Stage `train_open`: train a model that knows what is none of the words.

Reads   data/plans/<model>.json, data/features/<kind>/, data/raw/, data/split.csv,
        data/rejects/train/; data/voices/train/ where the plan has voices
Writes  models/<model>.safetensors, plots/curves/<model>.csv
Run     python stages/train_open.py tiny_open

The plan is that of the model's variant with the classes `_silence_` and `_unknown_` beside the
words (`corpus.rejection.models` in params.yaml). Checkpoints lie in .resume/ while it trains. If
killed, run the same command to resume.
"""

from __future__ import annotations

import spoken_digits.arithmetic.by_model  # noqa: F401

import argparse
import dataclasses
import time
from pathlib import Path

from spoken_digits import errors
from spoken_digits.rejection.labels import OPEN
from spoken_digits.rejection.planned import load
from spoken_digits.rejection.training import train_open
from spoken_digits.training.checkpoint import alone
from spoken_digits.training.plan import read_checkpoint_seconds, read_plan
from spoken_digits.training.writing import write_trained

DATA = Path("data")
PLANS = DATA / "plans"
MODELS = Path("models")
CURVES = Path("plots/curves")
RESUME = Path(".resume")


def main() -> None:
    arguments = parse_arguments()
    name, start = arguments.model, time.monotonic()
    plan = read_plan(PLANS, name, Path("params.yaml"))
    if plan.augmentation != OPEN:
        raise errors.UserError(f"{name} is no open model: train it with `dvc repro train@{name}`")
    if arguments.seed is not None:
        plan = dataclasses.replace(plan, seed=arguments.seed)
    dataset = load(DATA, plan)
    with alone(RESUME, name):
        trained = train_open(
            dataset,
            plan,
            resume_folder=RESUME,
            checkpoint_seconds=read_checkpoint_seconds(PLANS),
        )
        stem = name if arguments.seed is None else f"{name}-{arguments.seed}"
        write_trained(trained, MODELS, CURVES, stem)
    best = trained.state.curve[trained.state.best_epoch - 1]
    print(
        f"{stem}: {trained.n_parameters:,} parameters, epoch {trained.state.best_epoch} of "
        f"{len(trained.state.curve)}, validation accuracy {best[4]:.4f} on words, "
        f"{time.monotonic() - start:.0f} s"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="a name under `corpus.rejection.models` in params.yaml")
    parser.add_argument(
        "--seed", type=int, help="another than that of params.yaml, into <model>-<seed>"
    )
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
