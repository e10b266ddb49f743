"""What runs here, on a newer Python, imports nothing that the oldest promised one does not have."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from recordings import REPOSITORY

# By "New in version 3.11" and later in the library's reference, of what this project might import.
NEWER = {
    "tomllib": {"*"},
    "contextlib": {"chdir"},
    "datetime": {"UTC"},
    "enum": {"EnumCheck", "ReprEnum", "StrEnum", "member", "nonmember", "verify"},
    "hashlib": {"file_digest"},
    "itertools": {"batched"},
    "math": {"cbrt", "exp2", "sumprod"},
    "operator": {"call"},
    "typing": {
        "LiteralString",
        "Never",
        "NotRequired",
        "Required",
        "Self",
        "TypeAliasType",
        "TypeVarTuple",
        "Unpack",
        "assert_never",
        "assert_type",
        "dataclass_transform",
        "override",
        "reveal_type",
    },
}


def newer(source: str) -> Iterator[str]:
    """Modules and names in `source` that Python 3.10 lacks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in NEWER:
            for alias in node.names:
                if NEWER[node.module] & {alias.name, "*"}:
                    yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if "*" in NEWER.get(alias.name, ()))
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in NEWER.get(node.value.id, ())
        ):
            yield f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("folder", ["spoken_digits", "stages", "benchmarks"])
def test_nothing_newer_than_the_oldest_python_is_used(folder):
    assert 'requires-python = ">=3.10"' in (REPOSITORY / "pyproject.toml").read_text()
    files = sorted((REPOSITORY / folder).rglob("*.py"))
    assert files
    found = {str(f.relative_to(REPOSITORY)): list(newer(f.read_text())) for f in files}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    ["from typing import Any, Self", "import tomllib", "itertools.batched(x, 2)"],
)
def test_what_is_newer_is_found(line):
    assert list(newer(line))
