"""Augmentation, drawn again in every epoch."""
