from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from spoken_digits.errors import UserError
from spoken_digits.training.checkpoint import Checkpoint, alone


def trained(seed: int) -> dict:
    """A network and its optimizer after one step."""
    torch.manual_seed(seed)
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {"network": network, "optimizer": optimizer}


def weights(stateful: dict) -> list[float]:
    return torch.cat([p.flatten() for p in stateful["network"].parameters()]).tolist()


@pytest.fixture
def checkpoint(tmp_path) -> Checkpoint:
    return Checkpoint(path=tmp_path / "m.pt", every_s=0.0)


def test_a_saved_checkpoint_is_resumed(checkpoint):
    saved, fresh = trained(1), trained(2)
    checkpoint.save(saved, {"curve": [(1, 2.0)]})
    assert checkpoint.resume(fresh) == {"curve": [(1, 2.0)]}
    assert weights(fresh) == weights(saved)
    moments = fresh["optimizer"].state_dict()["state"][0]["exp_avg"]
    assert torch.equal(moments, saved["optimizer"].state_dict()["state"][0]["exp_avg"])


def flip_in_the_weights(content: bytes) -> bytes:
    weight = trained(1)["network"].weight.detach().numpy().tobytes()
    middle = content.index(weight)
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:100],
        lambda content: content[: len(content) // 2],
        lambda content: b"not a checkpoint",
        flip_in_the_weights,
    ],
)
def test_a_damaged_file_is_one_line_and_a_fresh_start(checkpoint, damage, capsys):
    checkpoint.save(trained(1), {})
    checkpoint.path.write_bytes(damage(checkpoint.path.read_bytes()))
    fresh = trained(2)
    before = weights(fresh)
    assert checkpoint.resume(fresh) is None
    assert weights(fresh) == before
    assert not checkpoint.path.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert "m.pt is damaged: training starts from the beginning" in line


def test_weights_of_another_network_leave_this_one_as_it_was(checkpoint):
    other = trained(1)
    other["network"] = nn.Linear(4, 2)
    checkpoint.save(other, {})
    fresh = trained(2)
    before = weights(fresh)
    assert checkpoint.resume(fresh) is None
    assert weights(fresh) == before


def test_a_second_training_of_a_model_is_refused(tmp_path):
    command = (
        "import sys, pathlib; from spoken_digits.training.checkpoint import alone\n"
        "with alone(pathlib.Path(sys.argv[1]), sys.argv[2]): pass"
    )
    with alone(tmp_path, "lstm"):
        with pytest.raises(UserError, match="lstm is being trained by another process"):
            alone(tmp_path, "lstm").__enter__()
        for model, status in (("lstm", 1), ("cnn", 0)):
            other = subprocess.run(
                [sys.executable, "-c", command, str(tmp_path), model], capture_output=True
            )
            assert other.returncode == status, other.stderr
    with alone(tmp_path, "lstm"):
        pass
