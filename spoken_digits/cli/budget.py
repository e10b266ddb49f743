"""`spoken-digits budget`: the largest LSTM that fits a memory budget, tensor by tensor."""

from __future__ import annotations

import argparse
import typing

from spoken_digits.cli.arguments import positive
from spoken_digits.errors import UserError
from spoken_digits.models.budget_params import BudgetParams, Reading

HELP = "find the largest LSTM that fits a memory budget, and list its parameters"
SHAPE = {"bytes_per_weight": 4, "bytes_per_bias": 4, "bias_vectors": 2}
"""What a parameter takes, and its usual value."""
OF_SCHEMES = ("int8_all", "pow2_all")
EXAMPLES = (
    "spoken-digits budget --kib 36",
    "spoken-digits budget --bytes 36000 --bytes-per-weight 1 --bias-vectors 1",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The budget and the network's shape."""
    memory = parser.add_mutually_exclusive_group(required=True)
    memory.add_argument("--kib", type=float, help="memory to fit, KiB")
    memory.add_argument("--bytes", type=int, help="memory to fit, bytes")
    parser.add_argument("--layers", type=positive, default=2, help="LSTM layers (default 2)")
    parser.add_argument(
        "--inputs", type=positive, default=13, help="coefficients per frame (default 13)"
    )
    parser.add_argument("--classes", type=positive, default=10, help="number of words (default 10)")
    parser.add_argument("--bytes-per-weight", type=positive, help="4 float32 (default), 1 int8")
    parser.add_argument("--bytes-per-bias", type=positive, help="4 float32 or int32 (default)")
    parser.add_argument(
        "--bias-vectors",
        type=int,
        choices=(1, 2),
        help="bias vectors per layer: 2 as in PyTorch (default), 1 if they are added up",
    )
    parser.add_argument(
        "--reading",
        choices=typing.get_args(Reading),
        default="total",
        help="what must fit: all parameters together, each layer by itself, or everything that the "
        "integer network of a scheme stores, shifts and tables included",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the hidden size and the table."""
    from spoken_digits.models.budget import largest_hidden_dim, table, tensor_sizes
    from spoken_digits.validation import build

    shape = {key: getattr(arguments, key) for key in SHAPE}
    named = [f"--{key.replace('_', '-')}" for key in SHAPE if shape[key]]
    if named and arguments.reading in OF_SCHEMES:
        raise UserError(
            f"--reading {arguments.reading} counts what the scheme stores: leave out "
            f"{', '.join(named)}"
        )
    shape = {key: shape[key] or usual for key, usual in SHAPE.items()}
    given = {key: getattr(arguments, key) for key in ("kib", "bytes", "reading")} | shape
    budget = build(BudgetParams, given, "", source="arguments of the command")
    hidden_dim = largest_hidden_dim(budget, arguments.layers, arguments.inputs, arguments.classes)
    tensors = tensor_sizes(
        hidden_dim,
        arguments.layers,
        arguments.inputs,
        arguments.classes,
        budget.bytes_per_weight,
        budget.bytes_per_bias,
        budget.bias_vectors,
        arguments.reading,
    )
    print(f"largest hidden size: {hidden_dim}")
    print(table(tensors, arguments.reading, budget.n_bytes))
