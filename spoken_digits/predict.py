"""`spoken-digits predict` under its older name: ``python -m spoken_digits.predict``."""

from spoken_digits.cli.main import entry

if __name__ == "__main__":
    entry("predict")
