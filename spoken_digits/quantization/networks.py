"""Section `quantize.networks`: which models become integer networks."""

from __future__ import annotations

from spoken_digits.config import Config
from spoken_digits.errors import UserError
from spoken_digits.models.params import names
from spoken_digits.quantization.network_params import NetworkParams


def read_networks(config: Config) -> list[NetworkParams]:
    """The integer networks of params.yaml.

    Raises
    ------
    UserError
        A wrong key or value, or a model that is not there.
    """
    found = []
    for key in config.subsection("quantize.networks"):
        where = f"quantize.networks.{key}"
        network = config.section(where, NetworkParams)
        if network.model not in names(config):
            raise UserError(
                f"params.yaml: `{where}.model` is {network.model!r}; "
                f"there are {', '.join(names(config))}"
            )
        found.append(network)
    return found


def schemes_of(config: Config, model: str) -> list[str]:
    """The schemes in which `model` becomes an integer network."""
    return [network.scheme for network in read_networks(config) if network.model == model]
