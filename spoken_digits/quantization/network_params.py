"""Section `quantize.networks.<name>`, and the settings of each integer network."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

from spoken_digits.bounds import Length
from spoken_digits.config import Config, build, convert_part

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class NetworkParams:
    """One integer network: made, measured and exported."""

    model: Annotated[str, Length(1, 40, example="lstm_36kb")]
    """A name under `variants`."""
    scheme: Literal["int8", "pow2"]
    """A byte for each weight, or half a byte for a power of two."""
    fine_tuning: dict[str, Any]
    """Keys of section `quantize.<scheme>` that this network overrides."""


def settings_of(config: Config, model: str, scheme: str, schema: type[T]) -> T:
    """Section `quantize.<scheme>`, overridden by the network's own `fine_tuning`.

    Parameters
    ----------
    schema
        The section's dataclass.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    common = found = config.section(f"quantize.{scheme}", schema)
    for key in config.subsection("quantize.networks"):
        where = f"quantize.networks.{key}"
        network = config.section(where, NetworkParams)
        if network.scheme == scheme:
            # All are checked now, not when each is made.
            changes = convert_part(schema, network.fine_tuning, f"{where}.fine_tuning")
            if network.model == model:
                merged = {**dataclasses.asdict(cast(Any, common)), **changes}
                found = build(schema, merged, f"{where}.fine_tuning")
    return found
