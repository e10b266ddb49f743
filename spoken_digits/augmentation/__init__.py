"""Augmentation, drawn anew in every epoch."""
