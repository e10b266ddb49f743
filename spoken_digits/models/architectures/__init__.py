"""The architectures, one module each, found by name.

A module defines `Params`, its section of params.yaml, and `Network`. To add an architecture, add
such a module and a section under `variants` that names it.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from spoken_digits.models.base import BaseNetwork, ModelParams


class Architecture(Protocol):
    """Interface of the modules in this package."""

    Params: type[ModelParams]
    Network: type[BaseNetwork]


def names() -> list[str]:
    """Every architecture, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def architecture(name: str) -> Architecture:
    """The module of that name.

    Raises
    ------
    KeyError
        No such architecture.
    """
    if name not in names():
        raise KeyError(name)
    return cast(Architecture, importlib.import_module(f"{__name__}.{name}"))
