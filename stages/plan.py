"""Stage `plan`: params.yaml -> all that decides each model's training.

Reads   data/raw/provenance.json, params.yaml: seed, corpus.extra_voices, corpus.rejection.models,
        features, train, model, variants
Writes  data/plans/<model>.json
Run     python stages/plan.py

Budgets become hidden sizes; recipes for other corpora are left out. A model is trained again only
if its own plan changes.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.roles import FINGERPRINTS
from spoken_digits.io import files
from spoken_digits.models.params import names
from spoken_digits.rejection.planning import open_plans
from spoken_digits.training.plan import write_plans
from spoken_digits.training.planning import make_plan

PROVENANCE = Path("data/raw/provenance.json")
PLANS = Path("data/plans")
PARAMS = Path("params.yaml")


def main() -> None:
    config = read_config(PARAMS)
    provenance = files.read_json(PROVENANCE, "dvc repro download")
    extra_voices = config.value("corpus.extra_voices", bool)
    voices = FINGERPRINTS["train"] if extra_voices else None
    plans = [
        make_plan(config, model, provenance["corpus"], len(provenance["labels"]), voices)
        for model in names(config)
    ]
    plans += open_plans(config, plans, provenance["labels"])
    with files.replacing(PLANS) as folder:
        folder.mkdir()
        write_plans(folder, plans, config.value("train.checkpoint_seconds", float), PARAMS)
    print(f"{PLANS}: {', '.join(plan.model for plan in plans)}")


if __name__ == "__main__":
    errors.run(main, __doc__)
