"""The live page: one HTML file that holds models, scripts and style, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spoken_digits.evaluation.html_report import palette

_BROWSER = Path(__file__).with_name("browser")
SCRIPTS = (
    "engine",
    "resampler",
    "wav",
    "signal",
    "microphone",
    "picture",
    "guided",
    "panels",
    "page",
)
"""Files of ``browser/`` that make up the page's script, in this order."""
_RECORDER = "recorder.js"  # a script of the audio thread, which the page hands over

FOOTER = (
    "The same integers as in Python and C: every word, confidence and sample number is equal. "
    "Nothing is sent or stored."
)


def page(models: Sequence[Mapping[str, Any]]) -> str:
    """The whole page.

    Parameters
    ----------
    models
        What :func:`spoken_digits.demo.parts.read` returns, the first being the one that listens
        when the page opens.
    """
    style, script = _style(), _script()
    parts = {
        "policy": policy(style, script),
        "style": style,
        "footer": html.escape(FOOTER),
        "recorder": _text(_RECORDER),
        "data": _data(models),
        "script": script,
    }
    # At once: a label may look like one of the places that are filled.
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _text("page.html"))


def policy(style: str, script: str) -> str:
    """Content policy: this very style and script, WebAssembly, and the recorder as a blob."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval' blob:; "
        f"style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _style() -> str:
    light, dark = palette.variables(palette.LIGHT), palette.variables(palette.DARK)
    colours = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f"{colours}\n{_text('style.css')}"


def _script() -> str:
    return '"use strict";\n' + "\n".join(_text(f"{name}.js") for name in SCRIPTS)


def _data(models: Sequence[Mapping[str, Any]]) -> str:
    """JSON that no label can end early."""
    content = {
        "models": [model for model in models if "module" in model],
        "missing": [
            {"name": model["name"], "reason": model["not_built"]}
            for model in models
            if "module" not in model
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _text(name: str) -> str:
    return (_BROWSER / name).read_text(encoding="utf-8")
