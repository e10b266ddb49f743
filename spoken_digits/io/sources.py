"""Digest of the code that computes a result, so that a half-made result of other code is not used.

A digest covers the source files of some modules of this package, of all package modules that
they import, directly or not, and the versions of the libraries that any of these import.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from spoken_digits.io.files import sha256

_PACKAGE = "spoken_digits"
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}
"""By top-level module, where the names differ."""
_ROOT = Path(__file__).resolve().parent.parent.parent


def digest_of(modules: Iterable[str], libraries: Iterable[str] = ()) -> str:
    """SHA-256 over sources and library versions.

    Parameters
    ----------
    modules
        Names of modules of this package, such as ``spoken_digits.features.mfcc``.
    libraries
        Distributions that matter beside those imported, such as those that a library rests on.

    Raises
    ------
    ValueError
        A module is not in this package.
    """
    sources = sources_of(modules)
    imported = {name for module in sources for name in _imports(_file_of(module))[1]}
    versions = {name: _version(name) for name in imported.union(libraries)}
    lines = [f"{module} {sha256(path.read_bytes())}" for module, path in sources.items()]
    lines += [f"{name}=={version}" for name, version in sorted(versions.items())]
    return sha256("\n".join(lines).encode())


def sources_of(modules: Iterable[str]) -> dict[str, Path]:
    """Source file of each module and of every package module that it imports, by sorted name."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = _file_of(name)
        waiting += _imports(found[name])[0]
        if "." in name:
            waiting.append(name.rpartition(".")[0])  # importing a module runs its packages
    return dict(sorted(found.items()))


def _file_of(module: str) -> Path:
    path = _find(module)
    if path is None:
        raise ValueError(f"{module} is not a module of {_PACKAGE}")
    return path


def _find(module: str) -> Path | None:
    if module.partition(".")[0] != _PACKAGE:
        return None
    stem = _ROOT.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _imports(path: Path) -> tuple[list[str], list[str]]:
    """Package modules and other top-level libraries that a source file imports."""
    stat = path.stat()
    return _parsed_imports(path, stat.st_mtime_ns, stat.st_size)


@functools.cache
def _parsed_imports(path: Path, *_version: int) -> tuple[list[str], list[str]]:
    own: list[str] = []
    libraries: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node)
            # What is imported from a package may be a module.
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            if top == _PACKAGE:
                own += [name] if _find(name) else []
            elif top not in sys.stdlib_module_names:
                libraries.append(top)
    return own, libraries


def _base(path: Path, node: ast.ImportFrom) -> str:
    """The module after `from`, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = path.parent.relative_to(_ROOT).parts
    above = package[: len(package) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _version(name: str) -> str:
    """Version of a library by the name of its distribution or of its top-level module."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(_DISTRIBUTIONS.get(name, name))
    if find_spec(name) is None:
        return "not installed"
    found = sorted(set(metadata.packages_distributions()[name]))  # slow, so the last resort
    return " ".join(f"{distribution} {metadata.version(distribution)}" for distribution in found)
