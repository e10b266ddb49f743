"""`spoken-digits listen` under its older name: ``python -m spoken_digits.listen``."""

from spoken_digits.cli.main import entry

if __name__ == "__main__":
    entry("listen")
