from __future__ import annotations

from spoken_digits.embedded import costs

PARTS = {
    "flash_bytes": 10,
    "ram_bytes": 5,
    "stack_bytes": 3,
    "clip_instructions_max": 100,
    "frontend_flash_bytes": 7,
    "frontend_ram_bytes": 6,
    "frontend_stack_bytes": 4,
    "frontend_frame_instructions_max": 50,
}
WHOLE = {"flash_bytes": 15, "ram_bytes": 9, "stack_bytes": 5, "clip_instructions_max": 160}


def test_metrics_take_the_larger_board():
    parts = {"m0": PARTS, "m3": PARTS | {"flash_bytes": 12, "clip_instructions_max": 80}}
    whole = {"m0": WHOLE, "m3": WHOLE | {"clip_instructions_max": 140}}
    metrics = costs.metrics(parts, whole)
    assert metrics["flash_bytes"] == 12
    assert metrics["stack_bytes"] == 5
    assert (metrics["recogniser_flash_bytes"], metrics["recogniser_ram_bytes"]) == (15, 9)
    assert (metrics["instructions_m0"], metrics["instructions_m3"]) == (100, 80)
    assert metrics["recogniser_instructions_m3"] == 140
    assert metrics["frontend_instructions_m3"] == 50
