"""Cost of an integer recogniser on a Cortex-M: of the whole, of front-end and network alone.

The counts are of instructions that QEMU executes, not of cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spoken_digits.embedded import boards, call_graph, host_frontend, host_network
from spoken_digits.embedded.targets import Pcm
from spoken_digits.integer.frontend import extraction
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph


def of_parts(
    network: IntegerGraph, spec: Spec, clips: Sequence[Pcm], firmware: Path
) -> dict[str, dict[str, int]]:
    """Counts of front-end (``frontend_*``) and network on each board of `boards.BOARDS`.

    Raises
    ------
    UserError
        The cross-compiler or the emulator is missing, or the C does not compile.
    """
    features, n_frames = extraction.extract(clips, spec)
    counts = {}
    for name, board in boards.BOARDS.items():
        _, front = host_frontend.extract_on_board(board, firmware, clips, spec)
        _, net = host_network.logits_on_board(board, firmware, network, features, n_frames)
        counts[name] = {f"frontend_{key}": value for key, value in front.items()} | net
    return counts


def stack_bound(network: IntegerGraph, spec: Spec, firmware: Path) -> int:
    """Bytes of stack that no call of the recogniser exceeds on any board, by static analysis."""
    return max(
        call_graph.of_recogniser(board, firmware, network, spec).stack_bound()
        for board in boards.BOARDS.values()
    )


def metrics(
    parts: Mapping[str, Mapping[str, int]], whole: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    """Figures for metrics/cortex_m/<model>.<scheme>.json.

    ``flash_bytes`` and ``ram_bytes`` are the network's totals, ``frontend_*`` the front-end's,
    ``recogniser_*`` those of the whole, in which both share memory; its instructions are for a clip
    from the first sample to the word. ``stack_bytes`` is the deepest of the three stacks.
    ``instructions_*`` are for one clip of full length through the network,
    ``frontend_instructions_*`` for one frame. A figure that stands for all boards is the largest.

    Parameters
    ----------
    parts
        From `of_parts`.
    whole
        What the proof counted on the same boards.
    """
    boards = {
        name: {**counts, **{f"recogniser_{key}": value for key, value in whole[name].items()}}
        for name, counts in parts.items()
    }

    def largest(*keys: str) -> int:
        return max(counts[key] for counts in boards.values() for key in keys)

    found = {
        "flash_bytes": largest("flash_bytes"),
        "ram_bytes": largest("ram_bytes"),
        "stack_bytes": largest("stack_bytes", "frontend_stack_bytes", "recogniser_stack_bytes"),
        "frontend_flash_bytes": largest("frontend_flash_bytes"),
        "frontend_ram_bytes": largest("frontend_ram_bytes"),
        "recogniser_flash_bytes": largest("recogniser_flash_bytes"),
        "recogniser_ram_bytes": largest("recogniser_ram_bytes"),
    }
    for name, counts in boards.items():
        found[f"instructions_{name}"] = counts["clip_instructions_max"]
        found[f"frontend_instructions_{name}"] = counts["frontend_frame_instructions_max"]
        found[f"recogniser_instructions_{name}"] = counts["recogniser_clip_instructions_max"]
    return found
