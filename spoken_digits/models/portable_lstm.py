"""An LSTM that gives the same bits on every x86-64 processor with AVX2, forward and backward.

oneDNN's LSTM is fast, but not proven to give the same bits everywhere. PyTorch's own LSTM does, but
takes twice the time, most of it in MKL's compatible matrix products. This one uses oneDNN's matrix
products, which are proven and as fast as MKL's best, and hoists all it can out of the time loop.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from spoken_digits import arithmetic

_SMALL = 2**14
"""Up to this number of weights MKL in place beats oneDNN, whose calls have more overhead."""


def applies(x: Tensor) -> bool:
    """Whether LSTMs use the kernels of this module on x."""
    return arithmetic.is_pinned() and x.device.type == "cpu" and x.dtype == torch.float32


def run_layer(
    x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor
) -> Tensor:
    """One layer of `nn.LSTM` from zero states: (batch, n_frames, n_in) -> (batch, n_frames, h).

    Parameters
    ----------
    x
        float32, on the cpu.
    weight_ih, weight_hh, bias_ih, bias_hh
        As `nn.LSTM` holds them: (4 h, n_in), (4 h, h), (4 h,), (4 h,), gates in the order
        input, forget, cell, output.
    """
    out: Tensor = _Layer.apply(x, weight_ih, weight_hh, bias_ih + bias_hh)
    return out


def outputs(lstm: nn.Module, x: Tensor) -> Tensor:
    """``lstm(x)[0]`` in evaluation: (batch, n_frames, n_in) -> (batch, n_frames, h).

    Uses portable kernels if this process is pinned; a quantized LSTM is called as it is.
    """
    if not (isinstance(lstm, nn.LSTM) and applies(x)):
        out: Tensor = lstm(x)[0]
        return out
    for weights in lstm.all_weights:
        x = run_layer(x, *weights)
    return x


class _Layer(torch.autograd.Function):
    """Time comes first inside: (n_frames, batch, ...)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias: Tensor) -> Tensor:
        batch, n_frames, _ = x.shape
        n = weight_hh.shape[1]
        inputs = x.transpose(0, 1).flatten(0, 1)  # (n_frames * batch, n_in)
        gates = product(inputs, weight_ih, bias).view(n_frames, batch, 4 * n)
        hidden = x.new_zeros(n_frames + 1, batch, n)  # the zero state, and one after each frame
        cell = x.new_zeros(n_frames + 1, batch, n)
        squashed = x.new_empty(n_frames, batch, n)  # tanh(cell)
        i, f, g, o = gates.chunk(4, dim=2)
        # All views at once: one by one they would cost as much as the smaller kernels.
        frames = (of.unbind() for of in (gates, gates[:, :, : 2 * n], i, f, g, o, squashed))
        hiddens, cells = hidden.unbind(), cell.unbind()
        for t, (z, i_f, i_t, f_t, g_t, o_t, squashed_t) in enumerate(zip(*frames, strict=True)):
            _add_product(z, hiddens[t], weight_hh)
            i_f.sigmoid_()
            g_t.tanh_()
            o_t.sigmoid_()
            torch.mul(f_t, cells[t], out=cells[t + 1]).addcmul_(i_t, g_t)
            torch.tanh(cells[t + 1], out=squashed_t)
            torch.mul(o_t, squashed_t, out=hiddens[t + 1])
        ctx.save_for_backward(inputs, weight_ih, weight_hh, gates, hidden, cell, squashed)
        return hidden[1:].transpose(0, 1)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
        inputs, weight_ih, weight_hh, gates, hidden, cell, squashed = ctx.saved_tensors
        n_frames, batch, n = squashed.shape
        above = grad[0].transpose(0, 1)
        i, f, g, o = gates.chunk(4, dim=2)
        # Derivatives of the cell with respect to the pre-activations of i, f and g, and of the
        # hidden state with respect to the cell and o.
        by_cell = torch.stack([g * i * (1 - i), cell[:-1] * f * (1 - f), i * (1 - g * g)], dim=2)
        to_cell = o * (1 - squashed * squashed)
        by_output = squashed * o * (1 - o)
        d_gates = torch.empty_like(gates).view(n_frames, batch, 4, n)
        d_cell = torch.zeros_like(to_cell[0])
        d_hiddens, fs, by_cells, to_cells, by_outputs = (
            of.unbind() for of in (above, f, by_cell, to_cell, by_output)
        )
        d_frames, d_i_f_g, d_o = (
            of.unbind() for of in (d_gates.flatten(2), d_gates[:, :, :3], d_gates[:, :, 3])
        )
        for t in range(n_frames - 1, -1, -1):
            d_hidden = d_hiddens[t]
            if t + 1 < n_frames:
                d_hidden = _sum_with_product(d_hidden, d_frames[t + 1], weight_hh.t())
                d_cell *= fs[t + 1]
            d_cell = d_cell.addcmul(d_hidden, to_cells[t])
            torch.mul(by_cells[t], d_cell.unsqueeze(1), out=d_i_f_g[t])
            torch.mul(by_outputs[t], d_hidden, out=d_o[t])
        flat = d_gates.view(-1, 4 * n)  # (n_frames * batch, 4 h)
        fed = torch.cat([inputs, hidden[:-1].flatten(0, 1)], dim=1)
        d_weights = product(fed.t().contiguous(), flat.t()).t()  # (4 h, n_in + h)
        d_x = None
        if ctx.needs_input_grad[0]:
            d_x = product(flat, weight_ih.t()).view(n_frames, batch, -1).transpose(0, 1)
        n_in = inputs.shape[1]
        return d_x, d_weights[:, :n_in].contiguous(), d_weights[:, n_in:].contiguous(), flat.sum(0)


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """(m, k), (n, k), (n,) -> a b^T + bias (m, n), by oneDNN."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")
    return out


def _add_product(out: Tensor, a: Tensor, b: Tensor) -> None:
    """Add a b^T to `out`, in place: (m, n), (m, k), (n, k)."""
    if b.numel() <= _SMALL:
        out.addmm_(a, b.t())
    else:
        out += product(a, b)


def _sum_with_product(c: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """``c + a b^T``, rounded as `_add_product` rounds: (m, n), (m, k), (n, k)."""
    return torch.addmm(c, a, b.t()) if b.numel() <= _SMALL else c + product(a, b)
