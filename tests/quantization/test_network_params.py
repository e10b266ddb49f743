"""Settings of an integer network: the scheme's section, and what the network overrides."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from spoken_digits.config import Config, read_config
from spoken_digits.errors import UserError
from spoken_digits.integer.qat import QatParams
from spoken_digits.quantization.network_params import settings_of

COMMITTED = read_config(Path(__file__).parents[2] / "params.yaml")


def config(**overrides: object) -> Config:
    changed = copy.deepcopy(COMMITTED)
    changed["quantize"]["networks"] = {
        "micro-pow2": {"model": "micro", "scheme": "pow2", "fine_tuning": overrides},
        "micro-int8": {"model": "micro", "scheme": "int8", "fine_tuning": {}},
        "lstm_36kb-pow2": {"model": "lstm_36kb", "scheme": "pow2", "fine_tuning": {}},
    }
    return Config(changed)


def test_a_network_overrides_its_own_scheme_and_no_other_network():
    given = config(learning_rate=2e-3, distillation=1)
    common = COMMITTED["quantize"]["pow2"]
    own = settings_of(given, "micro", "pow2", QatParams)
    assert (own.learning_rate, own.distillation) == (2e-3, 1.0)
    assert own.epochs == common["epochs"]
    for model, scheme in (("micro", "int8"), ("lstm_36kb", "pow2"), ("tiny", "pow2")):
        same = settings_of(given, model, scheme, QatParams)
        assert same == COMMITTED.section(f"quantize.{scheme}", QatParams)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rat": 0.1}, r"quantize\.networks\.micro-pow2\.fine_tuning.*learning_rat"),
        ({"epochs": -1}, r"quantize\.networks\.micro-pow2\.fine_tuning\.epochs` is -1"),
    ],
)
def test_a_wrong_override_is_refused_whichever_network_is_made(wrong, message):
    for model in ("micro", "lstm_36kb"):
        with pytest.raises(UserError, match=message):
            settings_of(config(**wrong), model, "pow2", QatParams)
