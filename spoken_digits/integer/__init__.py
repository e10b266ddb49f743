"""Integer-only recognition: fixed-point front-end, integer networks, and their C twins."""
