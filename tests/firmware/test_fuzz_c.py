"""libFuzzer over samples and blocks of whole recognisers, bounded; `make fuzz` runs it for long."""

from __future__ import annotations

import shutil

import pytest
from recognisers import make, sounds

from spoken_digits.embedded import fuzzing
from spoken_digits.errors import UserError

pytestmark = pytest.mark.skipif(shutil.which("clang") is None, reason="clang is not installed")

BROKEN = {
    "remembers the last clip": ("sd_frontend.c", "frontend->has_framed = 0;", ""),
    "reads past its block": ("sd_frontend.c", "? n_samples :", "? n_samples + 1u :"),
    "drops the rest of a block": ("sd_by_frame.c", "samples += n_taken;", "samples = 0;"),
}


@pytest.mark.parametrize("kind", ["int8", "graph"])
def test_fuzzing_finds_nothing(kind, firmware, tmp_path):
    program = fuzzing.build(firmware, *make(kind), tmp_path)
    inputs = tmp_path / "inputs"
    fuzzing.write_seeds(inputs, sounds(9)[2:14])
    fuzzing.run(program, inputs, seconds=10, n_runs=150, seed=1)
    assert len(list(inputs.iterdir())) > 30  # it went where the seeds did not


@pytest.mark.parametrize(
    "name",
    [
        "remembers the last clip",
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in [*BROKEN][1:]),
    ],
)
def test_the_fuzzer_finds_what_is_wrong(name, firmware, tmp_path):
    file, right, wrong = BROKEN[name]
    copy = tmp_path / "firmware"
    shutil.copytree(firmware, copy)
    text = (copy / file).read_text()
    assert text.count(right) == 1
    (copy / file).write_text(text.replace(right, wrong))
    program = fuzzing.build(copy, *make("int8"), tmp_path)
    fuzzing.write_seeds(tmp_path / "inputs", sounds(9)[2:14])
    with pytest.raises(UserError, match="failed with status"):
        fuzzing.run(program, tmp_path / "inputs", seconds=10, n_runs=150, seed=1)
    assert list((tmp_path / "inputs").glob("crash-*"))
