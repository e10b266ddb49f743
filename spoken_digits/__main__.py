"""`python -m spoken_digits`: the command `spoken-digits` where it is not on the path."""

from spoken_digits.cli.main import entry

if __name__ == "__main__":
    entry()
