"""Recipes for tests: short, with every kind of augmentation but stretching."""

from __future__ import annotations

from spoken_digits.training.recipe import Recipe

RECIPE = Recipe(
    arithmetic="portable",
    device="cpu",
    threads=1,
    precision="float32",
    memory_format="contiguous",
    epochs=6,
    patience=None,
    keep="best",
    batch_size=16,
    bucket_batches=1,
    optimizer="adam",
    learning_rate=0.02,
    learning_rate_fan_in=None,
    schedule="one_cycle",
    weight_decay=0.0,
    gradient_clip=1.0,
    label_smoothing=0.0,
    normalisation="per_coefficient",
    time_mask=2,
    coefficient_mask=1,
    time_shift=1,
    sound=None,
    noise=0.1,
    time_stretch=0.0,
    time_trim=0,
)
