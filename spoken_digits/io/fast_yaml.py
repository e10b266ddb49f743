"""YAML that a program wrote, read by libyaml where PyYAML has it: ten times as fast.

What people write is read by `strict_yaml`, whose errors name the line.
"""

from __future__ import annotations

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(content: str | bytes) -> Any:
    """The content of a file; raises `yaml.YAMLError` if it is no YAML."""
    return yaml.load(content, LOADER)
