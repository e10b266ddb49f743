"""Stage `web`: an integer model and its detector as WebAssembly, for a page or any other program.

Reads   models/<model>.<scheme>.safetensors, models/<model>.<scheme>.detector.json, firmware/
Writes  export/web/<model>.<scheme>/: detector.wasm, model.json
Run     python stages/web.py tiny int8

A module built from the same sources stays as it is, with or without clang. A changed model has none
where clang or its linker is missing, and the reason instead.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path

from spoken_digits import errors
from spoken_digits.demo.making import make
from spoken_digits.integer.limits import SCHEMES

MODELS = Path("models")
FIRMWARE = Path("firmware")
WEB = Path("export/web")


def main() -> None:
    arguments = parse_arguments()
    stem = f"{arguments.model}.{arguments.scheme}"
    print(make(MODELS / f"{stem}.safetensors", FIRMWARE, WEB / stem))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="tiny, lstm_36kb, or another that became integer")
    parser.add_argument("scheme", choices=SCHEMES)
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
