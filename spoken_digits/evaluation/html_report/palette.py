"""Colours, light and dark, and the contrast between them.

One accent colour. Series follow Okabe and Ito's palette, which colour-blind readers tell apart,
darkened or lightened until each stands out from its background by at least 3 to 1; shapes repeat
what colours say.
"""

from __future__ import annotations

from collections.abc import Mapping

Colours = Mapping[str, str]
"""Colour as ``#rrggbb`` by the name of its CSS variable."""

LIGHT: Colours = {
    "paper": "#ffffff",
    "raised": "#f5f6f8",
    "ink": "#1b1f24",
    "muted": "#565e69",
    "rule": "#d5d9df",
    "grid": "#e6e9ed",
    "accent": "#0b5aa8",
    "tint": "#dbe9f8",
    "warn": "#9a3412",
    "warn-tint": "#fdeee3",
    "s0": "#0072b2",
    "s1": "#c44f00",
    "s2": "#00795a",
    "s3": "#a84f86",
    "s4": "#8f6b00",
    "s5": "#2f86b5",
    "s6": "#7d4e44",
    "s7": "#555b63",
}
DARK: Colours = {
    "paper": "#14171b",
    "raised": "#1d2126",
    "ink": "#e8eaed",
    "muted": "#a4acb7",
    "rule": "#3a4049",
    "grid": "#2a2f36",
    "accent": "#7db8f2",
    "tint": "#1d3853",
    "warn": "#ffb48a",
    "warn-tint": "#3b2418",
    "s0": "#5aaee6",
    "s1": "#ff8a4c",
    "s2": "#3fc49a",
    "s3": "#e08fc0",
    "s4": "#e3b23c",
    "s5": "#8fd0f5",
    "s6": "#cf9a8e",
    "s7": "#aab1bb",
}
N_SERIES = sum(name[1:].isdecimal() and name[0] == "s" for name in LIGHT)
"""More series than this repeat colours, with other shapes."""
TEXT_ON = {
    "paper": ("ink", "muted", "accent", "warn"),
    "raised": ("ink", "muted", "accent"),
    "tint": ("ink",),
    "warn-tint": ("ink", "warn"),
}
"""Colours of text by the background they stand on."""


def variables(colours: Colours) -> str:
    """Declarations of CSS variables."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2, "relative luminance")."""
    shares = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
