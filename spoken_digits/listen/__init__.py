"""Listening in a terminal: `spoken-digits listen`, without PyTorch."""
