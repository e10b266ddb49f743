"""The kinds of features, by name.

A kind is a module of this package that names its class `EXTRACTOR`, and a section of the same
name under `features` in params.yaml; `log_mel_int` shares that of `log_mel`. A module is imported
only when its kind is asked for, so a stage depends on no other kind's code.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spoken_digits import validation
from spoken_digits.bounds import SampleRate
from spoken_digits.errors import UserError, shown, suggest
from spoken_digits.features.base import Extractor
from spoken_digits.features.parallel import ParallelParams

if TYPE_CHECKING:
    from spoken_digits.config import Config
    from spoken_digits.integer.frontend.extraction import Spec

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class FeatureParams:
    """The keys of section `features` that are not kinds; each kind reads its own section."""

    sample_rate: SampleRate
    """Sample rate of the MFCC front-end, Hz; clips are resampled to it."""
    parallel: ParallelParams
    """How extraction is spread over processors."""


def read_feature_params(config: Config) -> FeatureParams:
    """Section `features` of params.yaml, less the kinds.

    Raises
    ------
    UserError
        A key is missing, or is neither one of these nor a kind.
    """
    section = config.subsection("features")
    fields = FeatureParams.__dataclass_fields__
    for key in section:
        if key not in fields and not _has_module(key):
            known = [*fields, *kinds()]
            raise UserError(
                f"params.yaml: unknown key `features.{shown(key).strip(chr(39))}`"
                f"{suggest(key, known, 'features')}"
            )
    others = {key: value for key, value in section.items() if not _has_module(key)}
    return validation.build(FeatureParams, others, "features", "params.yaml")


def kinds() -> list[str]:
    """Every kind of features, sorted."""
    modules = (path for path in Path(__file__).parent.glob("*.py"))
    return sorted(path.stem for path in modules if "\nEXTRACTOR" in path.read_text("utf-8"))


def extractor_class(kind: Any) -> type[Extractor]:
    """The class of one kind, from the module of the same name.

    Raises
    ------
    UserError
        No such kind.
    """
    if _has_module(kind):
        module = importlib.import_module(f"{__package__}.{kind}")
        if hasattr(module, "EXTRACTOR"):
            found: type[Extractor] = module.EXTRACTOR
            return found
    raise UserError(f"there are no features of kind {shown(kind)}; there are {', '.join(kinds())}")


def make_extractor(kind: str, config: Config) -> Extractor:
    """The extractor of one kind, with its parameters from params.yaml.

    Raises
    ------
    UserError
        No such kind, or its section holds an unknown key, or lacks one.
    """
    if not _has_module(kind):
        config.subsection(f"features.{kind}")  # a name that is not there gets a suggestion
    return extractor_class(kind).from_config(config)


def integer_spec(description: Mapping[str, Any], source: str = "model card") -> Spec:
    """The specification of the integer front-end that described itself as `description`.

    Raises
    ------
    UserError
        The features are not computed in integers, or as `extractor_from`.
    """
    extractor = extractor_from(description, source)
    spec: Spec | None = getattr(extractor, "spec", None)
    if spec is None:
        raise UserError(f"{source}: no integer front-end computes features of {extractor.kind}")
    return spec


def extractor_from(description: Mapping[str, Any], source: str = "model card") -> Extractor:
    """The extractor that described itself as `description`, which a model file keeps.

    Raises
    ------
    UserError
        The kind or a parameter is missing, unknown, of the wrong type or out of bounds; `source`
        says where it stands.
    """
    try:
        kind = extractor_class(description.get("kind"))
    except UserError as error:
        raise UserError(f"{source}: `features.kind`: {error}") from None
    return kind.from_description(description, source)


def _has_module(kind: Any) -> bool:
    # A name from a file is looked up only if it can be a module right here.
    return (
        isinstance(kind, str)
        and kind not in FeatureParams.__dataclass_fields__  # parallel.py is no kind
        and _NAME.fullmatch(kind) is not None
        and find_spec(f"{__package__}.{kind}") is not None
    )
