"""Augmentation of sound: every clip is heard anew in every epoch."""
