from __future__ import annotations

import pytest
import torch
from torch import nn

from spoken_digits.models import portable_lstm


@pytest.mark.parametrize("hidden", [5, 80])
def test_outputs_and_gradients_are_those_of_pytorch(hidden):
    torch.manual_seed(0)
    lstm = nn.LSTM(13, hidden, 2, batch_first=True)
    x = torch.randn(7, 9, 13, requires_grad=True)
    weights = torch.randn(7, 9, hidden)
    found = []
    for run in (lambda: lstm(x)[0], lambda: portable_lstm.outputs(lstm, x)):
        y = run()
        found.append([y, *torch.autograd.grad((y * weights).sum(), [x, *lstm.parameters()])])
    for expected, ours in zip(*found, strict=True):
        torch.testing.assert_close(
            ours, expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item()
        )
    assert not torch.equal(found[0][0], found[1][0])  # other kernels: the comparison is of two


def test_other_numbers_and_unpinned_processes_use_pytorch(monkeypatch):
    lstm = nn.LSTM(3, 4, batch_first=True)
    x = torch.randn(2, 5, 3)
    assert portable_lstm.applies(x)
    assert not portable_lstm.applies(x.double())
    monkeypatch.delenv("MKL_CBWR")
    assert not portable_lstm.applies(x)
    assert torch.equal(portable_lstm.outputs(lstm, x), lstm(x)[0])
