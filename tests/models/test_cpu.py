from __future__ import annotations

import pytest
import torch
from torch import nn

from spoken_digits.models.cpu import dropout, wide_linear


@pytest.mark.parametrize("p", [0.2, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_its_share_and_scales_the_rest(p, dtype):
    torch.manual_seed(0)
    x = torch.full((99, 1001), 2.0, dtype=dtype, requires_grad=True)
    dropped = dropout(x, p)
    assert dropped.dtype == dtype
    share = (dropped == 0).float().mean().item()
    assert share == pytest.approx(p, abs=5 * (p * (1 - p) / x.numel()) ** 0.5)
    assert dropped[dropped != 0].unique().item() == pytest.approx(2 / (1 - p), rel=5e-3)
    dropped.sum().backward()
    assert torch.equal(x.grad == 0, dropped == 0)
    assert not torch.equal(dropout(x, p), dropped)  # another draw every time


def gradients(layer: nn.Linear, x: torch.Tensor, call) -> list[torch.Tensor]:
    layer.zero_grad()
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        out = call(x)
    out.float().square().sum().backward()
    return [out, x.grad, layer.weight.grad, layer.bias.grad]


def test_a_wide_linear_layer_is_that_of_pytorch():
    torch.manual_seed(0)
    layer, x = nn.Linear(300, 70), torch.randn(8, 300)
    ours = gradients(layer, x, lambda x: wide_linear(layer, x))
    theirs = gradients(layer, x, layer)
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, atol=0.02 * other.abs().max().item(), rtol=0)
    # Autocast rounds the gradient of the weights to 8 bits; ours is that of the rounded products.
    rounded = theirs[2].bfloat16().float()
    assert torch.equal(rounded, theirs[2])
    assert not torch.equal(ours[2].bfloat16().float(), ours[2])


def test_a_wide_linear_layer_is_plain_without_autocast_and_in_evaluation():
    layer, x = nn.Linear(30, 7), torch.randn(8, 30)
    assert torch.equal(wide_linear(layer, x), layer(x))
    layer.eval()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(wide_linear(layer, x), layer(x))
