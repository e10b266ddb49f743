"""params.yaml -> the plans of open models: those of their variants, with two more classes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from spoken_digits.config import Config
from spoken_digits.errors import UserError, shown
from spoken_digits.rejection.labels import OPEN, with_not_words
from spoken_digits.rejection.params import MODELS, OpenParams
from spoken_digits.training.plan import Plan

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def open_plans(config: Config, plans: Sequence[Plan], labels: Sequence[str]) -> list[Plan]:
    """The plans of the open models, each from that of its variant.

    Parameters
    ----------
    config
        params.yaml.
    plans
        Those of the variants.
    labels
        Classes of the corpus, which may have the further ones itself.

    Raises
    ------
    UserError
        A name or a variant in `corpus.rejection.models` that cannot be.
    """
    variants = {plan.model: plan for plan in plans}
    made = []
    for name in config.subsection(MODELS):
        where = f"{MODELS}.{name}"
        params = config.section(where, OpenParams)
        variant = params.variant
        if params.model != name:
            raise UserError(
                f"params.yaml: `{where}.model` is {shown(params.model)}: set it to {name}"
            )
        if variant not in variants:
            raise UserError(
                f"params.yaml: `{where}.variant` is {shown(variant)}; "
                f"there are {', '.join(variants)}"
            )
        if name in variants or not _NAME.fullmatch(str(name)):
            raise UserError(
                f"params.yaml: `{MODELS}` has a model named {shown(name)}: use another name, of "
                f"small letters, digits and _, that no variant has, such as {variant}_open"
            )
        if variants[variant].augmentation != "sound":
            raise UserError(
                f"params.yaml: `{where}.variant` is {variant}, whose `augmentation` is "
                f"{variants[variant].augmentation}: it must be sound"
            )
        made.append(open_plan(str(name), variants[variant], labels))
    return made


def open_plan(name: str, variant: Plan, labels: Sequence[str]) -> Plan:
    """The plan of an open model, from that of its variant."""
    return dataclasses.replace(
        variant,
        model=name,
        n_classes=len(with_not_words(labels)),
        augmentation=OPEN,
    )
