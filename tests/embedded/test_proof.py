"""The proof counts what differs, and says what it left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from recognisers import expected, make, sounds

from spoken_digits.embedded import proof
from spoken_digits.embedded.targets import TARGETS, Target, TooLargeError


@dataclass(frozen=True, kw_only=True)
class Parrot(Target):
    """A target that repeats what NumPy says, but for some errors."""

    wrong: tuple[tuple[int, int], ...] = ()
    """Clips and classes whose logits are one too large."""
    n_answers: int | None = None

    def run(self, firmware, network, spec, clips):
        logits = expected(network, spec, clips)
        for place in self.wrong:
            logits[place] += 1
        return logits[: self.n_answers], {"stack_bytes": 7}


@dataclass(frozen=True, kw_only=True)
class Tight(Target):
    """A target on which nothing fits."""

    def run(self, firmware, network, spec, clips):
        raise TooLargeError("it lacks 5 B of RAM")


@dataclass(frozen=True, kw_only=True)
class Sampling(Parrot):
    """A target that can run every other clip."""

    def chosen(self, clips):
        return np.arange(0, len(clips), 2)


def runs_on(*targets: Target, n_clips: int = 6) -> list[proof.Run]:
    network, spec = make("int8")
    return list(proof.prove(network, spec, sounds(1)[:n_clips], Path("firmware"), targets))


def named(kind: type[Target] = Parrot, name: str = "it", tools: tuple[str, ...] = (), **more):
    return kind(name=name, tools=tools, packages="gcc-it", **more)


def test_mismatches_are_clips_with_any_logit_that_differs():
    none, some = runs_on(named(), named(wrong=((1, 0), (1, 2), (4, 1))))
    assert (none.target, none.n_clips, none.mismatches, none.left_out) == ("it", 6, 0, "")
    assert none.report == {"stack_bytes": 7}
    assert some.mismatches == 2


def test_a_program_that_stops_early_is_all_wrong():
    (run,) = runs_on(named(n_answers=5))
    assert run.mismatches == run.n_clips == 6


def test_a_target_that_can_run_some_is_compared_on_those():
    right, wrong = runs_on(named(Sampling), named(Sampling, wrong=((2, 1),)))
    assert (right.n_clips, right.mismatches) == (3, 0)
    assert (wrong.n_clips, wrong.mismatches) == (3, 1)


def test_what_is_left_out_is_said():
    missing, tight = runs_on(named(tools=("no-such-gcc", "sh")), named(Tight))
    assert missing.left_out == "no no-such-gcc (Debian: gcc-it)"
    assert tight.left_out == "it lacks 5 B of RAM"
    assert missing.n_clips == tight.n_clips == 0


def test_the_record_tells_targets_apart():
    runs = runs_on(named(name="a"), named(name="b", wrong=((0, 0),)), named(Tight, name="c"))
    assert proof.record(runs) == {
        "mismatches": 1,
        "proof": {"a": {"clips": 6, "mismatches": 0}, "b": {"clips": 6, "mismatches": 1}},
        "left_out": {"c": "it lacks 5 B of RAM"},
    }


def test_the_list_has_every_kind_of_processor():
    assert all(name == target.name for name, target in TARGETS.items())
    for part in ("gcc -O0", "gcc -O3", "clang", "-march=native", "cortex-m0", "cortex-m3",
                 "cortex-m4", "riscv32", "mips big-endian", "avr"):  # fmt: skip
        assert any(part in name for name in TARGETS), part


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_a_target_names_its_packages(target):
    assert target.tools
    assert target.packages
    assert not set(target.packages) & set(";&|")
