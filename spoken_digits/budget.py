"""`spoken-digits budget` under its older name: ``python -m spoken_digits.budget``."""

from spoken_digits.cli.main import entry

if __name__ == "__main__":
    entry("budget")
