"""Prove that NumPy and C agree bit for bit, from samples to logits, on every target.

The whole recogniser is compared, front-end and network as one: a wrong feature shows in its logits.
Stage `measure`, ``make prove`` and the tests prove by this code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spoken_digits.embedded.targets import Pcm, Target, TooLargeError
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph


@dataclass(frozen=True, kw_only=True)
class Run:
    """One recogniser on one target, compared with NumPy."""

    target: str
    n_clips: int
    mismatches: int
    """Clips with a logit that differs."""
    report: dict[str, int]
    """What boards count; empty for others."""
    left_out: str = ""
    """Why it was not run, if so."""


def prove(
    network: IntegerGraph,
    spec: Spec,
    clips: Sequence[Pcm],
    firmware: Path,
    targets: Iterable[Target],
) -> Iterator[Run]:
    """Run `clips` on every target, one after the other.

    Raises
    ------
    UserError
        The C does not compile somewhere, or a program fails.
    """
    logits = network.logits(*extraction.extract(clips, spec))
    for target in targets:
        if missing := target.missing():
            why = f"no {', '.join(missing)} (Debian: {target.packages})"
            yield _left_out(target, why)
            continue
        chosen = target.chosen(clips)
        try:
            found, report = target.run(firmware, network, spec, [clips[i] for i in chosen])
        except TooLargeError as error:
            yield _left_out(target, str(error))
            continue
        expected = logits[chosen]
        wrong = (
            len(expected)
            if found.shape != expected.shape  # it stopped early
            else int((found != expected).any(axis=1).sum())
        )
        yield Run(target=target.name, n_clips=len(chosen), mismatches=wrong, report=report)


def record(runs: Iterable[Run]) -> dict[str, Any]:
    """What metrics/cortex_m/<model>.<scheme>.json says of the proof.

    ``mismatches`` counts them on all targets together; ``proof`` gives the clips and mismatches
    of each target, ``left_out`` why a target was not run.
    """
    runs = list(runs)
    return {
        "mismatches": sum(run.mismatches for run in runs),
        "proof": {
            run.target: {"clips": run.n_clips, "mismatches": run.mismatches}
            for run in runs
            if not run.left_out
        },
        "left_out": {run.target: run.left_out for run in runs if run.left_out},
    }


def _left_out(target: Target, why: str) -> Run:
    return Run(target=target.name, n_clips=0, mismatches=0, report={}, left_out=why)
