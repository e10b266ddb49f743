"""Listening in a terminal: `python -m spoken_digits.listen`, without PyTorch."""
