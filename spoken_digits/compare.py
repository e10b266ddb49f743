"""`spoken-digits compare` under its older name: ``python -m spoken_digits.compare``."""

from spoken_digits.cli.main import entry

if __name__ == "__main__":
    entry("compare")
