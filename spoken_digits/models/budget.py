"""Find the largest LSTM that fits a memory budget.

PyTorch's LSTM keeps two bias vectors, so a layer of hidden size h over i inputs holds
4h(i + h) weights and 8h biases (4h if the two are summed, as in integer networks); a linear
layer over c classes holds ch weights and c biases.
"""

from __future__ import annotations

from dataclasses import dataclass

from spoken_digits.errors import UserError
from spoken_digits.integer.limits import Scheme, lstm_bytes, stored_bytes
from spoken_digits.models.budget_params import KIB, BudgetParams, Reading

_INTEGER_SCHEMES: dict[str, Scheme] = {"int8_all": "int8", "pow2_all": "pow2"}


@dataclass(frozen=True)
class TensorSize:
    """One parameter tensor of an LSTM classifier."""

    name: str
    shape: tuple[int, ...]
    n_bytes: int

    @property
    def n_values(self) -> int:
        """Numbers in the tensor."""
        return self.shape[0] * (self.shape[1] if len(self.shape) > 1 else 1)

    @property
    def layer(self) -> str:
        """Layer the tensor belongs to: l0, l1, ... or linear."""
        return self.name.rsplit("_", 1)[-1] if self.name.startswith("lstm") else "linear"


def tensor_sizes(
    hidden_dim: int,
    num_layers: int,
    input_dim: int,
    n_classes: int,
    bytes_per_weight: int = 4,
    bytes_per_bias: int = 4,
    bias_vectors: int = 2,
    reading: Reading = "total",
) -> list[TensorSize]:
    """Every parameter tensor of an LSTM classifier, in PyTorch's order and shapes.

    For the readings ``int8_all`` and ``pow2_all``: the tensors of the integer network; the last one
    stands for everything that is neither weight nor bias.
    """
    if reading in _INTEGER_SCHEMES:
        return _integer_tensor_sizes(
            hidden_dim, num_layers, input_dim, n_classes, _INTEGER_SCHEMES[reading]
        )
    sizes: list[tuple[str, tuple[int, ...]]] = []
    for layer in range(num_layers):
        width = input_dim if layer == 0 else hidden_dim
        sizes += [
            (f"lstm.weight_ih_l{layer}", (4 * hidden_dim, width)),
            (f"lstm.weight_hh_l{layer}", (4 * hidden_dim, hidden_dim)),
        ]
        biases = ("bias_ih", "bias_hh") if bias_vectors == 2 else ("bias",)
        sizes += [(f"lstm.{bias}_l{layer}", (4 * hidden_dim,)) for bias in biases]
    sizes += [("linear.weight", (n_classes, hidden_dim)), ("linear.bias", (n_classes,))]
    tensors = []
    for name, shape in sizes:
        bytes_each = bytes_per_bias if "bias" in name else bytes_per_weight
        n_values = shape[0] * (shape[1] if len(shape) > 1 else 1)
        tensors.append(TensorSize(name, shape, n_values * bytes_each))
    return tensors


def _integer_tensor_sizes(
    hidden_dim: int, num_layers: int, input_dim: int, n_classes: int, scheme: Scheme
) -> list[TensorSize]:
    tensors = []
    for layer in range(num_layers):
        width = input_dim if layer == 0 else hidden_dim
        shape = (4 * hidden_dim, width + hidden_dim)
        tensors += [
            TensorSize(f"lstm.weight_l{layer}", shape, stored_bytes(shape, scheme)),
            TensorSize(f"lstm.bias_l{layer}", (4 * hidden_dim,), 16 * hidden_dim),
        ]
    shape = (n_classes, hidden_dim)
    tensors += [
        TensorSize("linear.weight", shape, stored_bytes(shape, scheme)),
        TensorSize("linear.bias", (n_classes,), 4 * n_classes),
    ]
    units = [hidden_dim] * num_layers
    everything = lstm_bytes(units, scheme, n_inputs=input_dim, n_classes=n_classes)
    rest = everything - sum(tensor.n_bytes for tensor in tensors)
    return [*tensors, TensorSize("shifts, tables", (rest,), rest)]


def needed_bytes(tensors: list[TensorSize], reading: Reading) -> int:
    """Bytes that must fit the budget: of all tensors, or of the largest layer."""
    if reading != "per_layer":
        return sum(tensor.n_bytes for tensor in tensors)
    layers: dict[str, int] = {}
    for tensor in tensors:
        layers[tensor.layer] = layers.get(tensor.layer, 0) + tensor.n_bytes
    return max(layers.values())


def largest_hidden_dim(
    budget: BudgetParams, num_layers: int, input_dim: int, n_classes: int
) -> int:
    """The largest hidden size whose parameters fit the budget.

    Raises
    ------
    UserError
        Not even a hidden size of 1 fits.
    """

    def fits(hidden_dim: int) -> bool:
        tensors = tensor_sizes(
            hidden_dim,
            num_layers,
            input_dim,
            n_classes,
            budget.bytes_per_weight,
            budget.bytes_per_bias,
            budget.bias_vectors,
            budget.reading,
        )
        return needed_bytes(tensors, budget.reading) <= budget.n_bytes

    if not fits(1):
        raise UserError(
            f"a budget of {budget.n_bytes:,.0f} bytes holds no LSTM of {num_layers} layer(s) over "
            f"{input_dim} inputs and {n_classes} classes: raise the budget"
        )
    low, high = 1, 2  # fits(low); doubling finds a high that does not fit
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def table(tensors: list[TensorSize], reading: Reading, budget_bytes: float) -> str:
    """The parameter table, one row per tensor, with the sum and what is left of the budget."""
    rows = [(t.name, " x ".join(map(str, t.shape)), t.n_values, t.n_bytes) for t in tensors]
    rows.append(("total", "", sum(t.n_values for t in tensors), sum(t.n_bytes for t in tensors)))
    lines = [f"{'tensor':<20}{'shape':>12}{'values':>12}{'bytes':>12}{'KiB':>9}"]
    lines += [f"{n:<20}{s:>12}{v:>12,}{b:>12,}{b / KIB:>9.2f}" for n, s, v, b in rows]
    needed = needed_bytes(tensors, reading)
    subject = "the largest layer" if reading == "per_layer" else "all parameters"
    lines.append(
        f"{subject}: {needed:,} of {budget_bytes:,.0f} bytes, {budget_bytes - needed:,.0f} to spare"
    )
    return "\n".join(lines)
