"""Trained models in formats that other tools read."""
