"""Write an ONNX graph node by node.

By hand rather than by `torch.onnx`: the same model gives the same bytes with any version of
PyTorch, recurrent layers stay single operators, and the package `onnx` alone is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from spoken_digits.errors import UserError

OPSET, IR_VERSION = 17, 8  # of 2022: any ONNX Runtime since 1.12 reads them

FEATURES, N_FRAMES, LOGITS = "features", "n_frames", "logits"
"""The names of inputs and output."""

Array = NDArray[Any]


class Graph:
    """Nodes and constants of a graph that grows from its inputs to its output.

    Inputs: ``features`` (clips, n_frames, n_coefficients) float32 and ``n_frames`` (clips,) int32,
    the valid frames of each clip. Every method returns the name of the tensor that it makes.
    """

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Array] = {}

    def constant(self, name: str, value: Tensor | Array) -> str:
        """A tensor that is stored in the file."""
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        self._constants[name] = np.asarray(array, order="C")
        return name

    def node(self, operator: str, name: str, inputs: Sequence[str], **attributes: Any) -> str:
        """An operator of ONNX with one output, called `name`."""
        from onnx import helper

        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def axes(self, *axes: int) -> str:
        """Axes, as operators take them."""
        return self.constant("axes_" + "_".join(map(str, axes)), np.array(axes, np.int64))

    def normalised(self, mean: Sequence[float], std: Sequence[float]) -> str:
        """The features less `mean`, divided by `std`: one value, or one a coefficient."""
        shift = self.constant("mean", np.asarray(mean, np.float32))
        scale = self.constant("std", np.asarray(std, np.float32))
        return self.node(
            "Div", "normalised", [self.node("Sub", "centred", [FEATURES, shift]), scale]
        )

    def picture(self, x: str) -> str:
        """(clips, n_frames, n_coefficients) -> (clips, 1, n_coefficients, n_frames)."""
        turned = self.node("Transpose", "bands_first", [x], perm=[0, 2, 1])
        return self.node("Unsqueeze", "picture", [turned, self.axes(1)])

    def linear(self, layer: nn.Linear, name: str, x: str) -> str:
        """X W^T + b."""
        weights = [
            self.constant(f"{name}.weight", layer.weight),
            self.constant(f"{name}.bias", layer.bias),
        ]
        return self.node("Gemm", name, [x, *weights], transB=1)

    def convolution(
        self, layer: nn.Conv2d, name: str, x: str, norm: nn.BatchNorm2d | None = None
    ) -> str:
        """A convolution, with the batch normalisation after it folded in."""
        weight, bias = layer.weight.detach().double(), layer.bias
        if norm is not None:
            if norm.running_mean is None or norm.running_var is None:
                raise ValueError(f"{name}: its batch normalisation kept no statistics")
            scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
            weight = weight * scale[:, None, None, None]
            before = 0.0 if bias is None else bias.double()
            bias = norm.bias.double() + (before - norm.running_mean.double()) * scale
        inputs = [x, self.constant(f"{name}.weight", weight.float())]
        if bias is not None:
            inputs.append(self.constant(f"{name}.bias", bias.float()))
        rows, columns = (int(one) for one in layer.padding)
        return self.node(
            "Conv",
            name,
            inputs,
            group=layer.groups,
            kernel_shape=list(layer.kernel_size),
            pads=[rows, columns, rows, columns],
            strides=list(layer.stride),
        )

    def lstm(self, layer: nn.LSTM, x: str, lengths: str = "") -> str:
        """Every hidden state of stacked layers: (n_frames, clips, inputs) -> (n_frames, clips, h).

        Given the valid frames of each clip, states past them are zero.
        """
        for i in range(layer.num_layers):
            stored = [
                self.constant(f"lstm.{i}.{key}", value) for key, value in _lstm(layer, i).items()
            ]
            states = self.node(
                "LSTM",
                f"lstm.{i}.states",  # (n_frames, 1, clips, h)
                [x, *stored, *([lengths] if lengths else [])],
                hidden_size=layer.hidden_size,
            )
            x = self.node("Squeeze", f"lstm.{i}", [states, self.axes(1)])
        return x

    def model(
        self,
        name: str,
        features: Sequence[int | str],
        n_classes: int,
        facts: Mapping[str, str] | None = None,
    ) -> Any:
        """The whole model.

        Parameters
        ----------
        features
            Shape of the input ``features``; an axis of any length is a name.
        facts
            Metadata.

        Raises
        ------
        UserError
            More than 2 GiB of weights, which one file of ONNX cannot hold.
        """
        from onnx import TensorProto, helper, numpy_helper

        if sum(value.nbytes for value in self._constants.values()) >= 2**31:
            raise UserError(f"{name} has more than 2 GiB of weights: one ONNX file cannot hold it")
        one = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            name,
            [
                helper.make_tensor_value_info(FEATURES, one, features),
                helper.make_tensor_value_info(N_FRAMES, TensorProto.INT32, ["clips"]),
            ],
            [helper.make_tensor_value_info(LOGITS, one, ["clips", n_classes])],
            [numpy_helper.from_array(value, key) for key, value in self._constants.items()],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="spoken-digits",
        )
        helper.set_model_props(model, dict(sorted((facts or {}).items())))
        return model


def _lstm(layer: nn.LSTM, i: int) -> dict[str, Array]:
    """W (1, 4 h, n_in), R (1, 4 h, h), B (1, 8 h) of one layer, gates i, o, f, c."""

    def reordered(name: str) -> Array:
        value = layer.get_parameter(f"{name}_l{i}").detach().cpu().numpy()
        into, forget, cell, out = np.split(value, 4)
        return np.concatenate([into, out, forget, cell])[None]

    biases = [reordered("bias_ih"), reordered("bias_hh")]
    return {
        "W": reordered("weight_ih"),
        "R": reordered("weight_hh"),
        "B": np.concatenate(biases, axis=1),
    }
