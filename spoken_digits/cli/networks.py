"""Names of models and integer networks, looked up in params.yaml."""

from __future__ import annotations

from pathlib import Path

from spoken_digits.config import Config, read_config
from spoken_digits.errors import UserError, did_you_mean, printable
from spoken_digits.models.params import names
from spoken_digits.quantization.network_params import NetworkParams

PARAMS = Path("params.yaml")


def check_model(config: Config, model: str) -> None:
    """Refuse a model that params.yaml does not have."""
    known = names(config)
    if model not in known:
        hint = did_you_mean(model, known) or f"; there are {', '.join(known)}"
        raise UserError(f"no model {printable(model)} in params.yaml{hint}")


def networks_of(config: Config, model: str) -> dict[str, NetworkParams]:
    """The integer networks of a model: key under `quantize.networks` to its section."""
    keys = config.subsection("quantize.networks")
    sections = {key: config.section(f"quantize.networks.{key}", NetworkParams) for key in keys}
    return {key: one for key, one in sections.items() if one.model == model}


def network_key(model: str, scheme: str) -> str:
    """The key of one integer network.

    Raises
    ------
    UserError
        No such model, or it does not become integer under this scheme.
    """
    config = read_config(PARAMS)
    check_model(config, model)
    of_model = networks_of(config, model)
    for key, network in of_model.items():
        if network.scheme == scheme:
            return key
    schemes = ", ".join(network.scheme for network in of_model.values())
    hint = f"it has {schemes}" if schemes else "it has no integer network"
    raise UserError(
        f"params.yaml: `quantize.networks` has no {model} as {printable(scheme)}: {hint}; add an "
        "entry there"
    )
