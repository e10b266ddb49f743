"""Stage `demo`: one page that listens with every integer model, offline, in any current browser.

Reads   export/web/, params.yaml: quantize.networks, corpus.rejection.models
Writes  export/demo.html
Run     python stages/demo.py
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import Config, read_config
from spoken_digits.demo import parts
from spoken_digits.demo.page import page
from spoken_digits.io import files
from spoken_digits.quantization.networks import read_networks
from spoken_digits.rejection.params import MODELS as OPEN_MODELS

WEB = Path("export/web")
PAGE = Path("export/demo.html")


def main() -> None:
    models = [parts.read(WEB / stem) for stem in stems(read_config(Path("params.yaml")))]
    content = page(models).encode()
    files.write_bytes(PAGE, content)
    missing = [model["name"] for model in models if "module" not in model]
    without = f", without {', '.join(missing)}" if missing else ""
    n_models = len(models) - len(missing)
    print(f"{PAGE}: {n_models} models, {len(content) / 1024:.0f} KiB{without}")


def stems(config: Config) -> list[str]:
    """The integer models; first those that keep quiet about other words."""
    opened = [f"{name}.int8" for name in config.subsection(OPEN_MODELS)]
    return opened + [f"{one.model}.{one.scheme}" for one in read_networks(config)]


if __name__ == "__main__":
    errors.run(main, __doc__)
