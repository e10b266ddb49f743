"""The code that computes a result, as digests: what other code made is stale, or not continued.

A digest covers what runs, in some modules of this package and in all package modules that they
import, directly or not. Comments, docstrings and blank lines do not count.
"""

from __future__ import annotations

import ast
import functools
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from spoken_digits.io.files import sha256

PACKAGE = "spoken_digits"
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}
"""By top-level module, where the names differ."""
_NO_RESULTS = ("spoken_digits.errors",)
"""They only word what is said."""
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
"""What holds statements, or, as `except` and `case` do, holds what holds them."""
ROOT = Path(__file__).resolve().parent.parent.parent
"""The folder of the package that runs."""


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
    imported = {name for path in sources.values() for name in imports_of(path, ROOT)[1]}
    versions = {name: _version(name) for name in imported.union(libraries)}
    lines = [f"{module} {digest_of_file(path)}" for module, path in sources.items()]
    lines += [f"{name}=={version}" for name, version in sorted(versions.items())]
    return sha256("\n".join(lines).encode())


def sources_of(modules: Iterable[str], root: Path | None = None) -> dict[str, Path]:
    """Source file of each module and of every package module that it imports, by sorted name.

    Parameters
    ----------
    modules
        Names of modules of this package.
    root
        The folder in which the package lies; default: that of the package that runs.

    Raises
    ------
    ValueError
        A module is not in this package.
    """
    root = root or ROOT
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or name in _NO_RESULTS:
            continue
        found[name] = _file_of(name, root)
        waiting += imports_of(found[name], root)[0]
        if "." in name:
            waiting.append(name.rpartition(".")[0])  # importing a module runs its packages
    return dict(sorted(found.items()))


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file; of a Python file only of what runs."""
    return _read(path)[0]


def _read(path: Path) -> tuple[str, list[ast.Import | ast.ImportFrom]]:
    """Digest of a file, and what it imports; from memory if it is as it was."""
    return _read_anew(path, *_version_of(path))


def _version_of(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@functools.cache
def _read_anew(path: Path, *_version: int) -> tuple[str, list[ast.Import | ast.ImportFrom]]:
    content = path.read_bytes()
    if path.suffix != ".py":
        return sha256(content), []
    source = content.decode()
    statements = list(_statements_that_run(ast.parse(source)))
    digest = sha256(_without_comments(source, statements).encode())
    return digest, [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]


def what_runs(source: str) -> str:
    """Python without comments, docstrings and blank lines, the rest to the letter.

    It is the same under every version of Python, which the tokens of f-strings are not.
    """
    return _without_comments(source, _statements_that_run(ast.parse(source)))


def _without_comments(source: str, statements: Iterable[ast.stmt]) -> str:
    lines = io.StringIO(source).readlines()  # as Python counts them: `splitlines` knows more ends
    blank = set[int]()
    cuts = list[tuple[tuple[int, int], tuple[int, int]]]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            cuts.append((token.start, token.end))
        if token.type == tokenize.NL and not token.line.strip():
            blank.add(token.start[0])
    cuts += _docstrings(statements, lines)
    for (first, start), (last, end) in sorted(cuts, reverse=True):
        kept = lines[first - 1][:start].rstrip() + lines[last - 1][end:]
        lines[first - 1 : last] = [kept, *[""] * (last - first)]
        if not kept.strip():
            blank.add(first)
    return "".join(line for n, line in enumerate(lines, 1) if n not in blank)


def _docstrings(
    statements: Iterable[ast.stmt], lines: list[str]
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """First and last position of each statement that is nothing but a string."""
    for node in statements:
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            last = node.end_lineno or node.lineno
            # Positions are in bytes of UTF-8.
            start = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
            end = len(lines[last - 1].encode()[: node.end_col_offset].decode())
            yield (node.lineno, start), (last, end)


def _file_of(module: str, root: Path) -> Path:
    path = _find(module, root)
    if path is None:
        raise ValueError(f"{module} is not a module of {PACKAGE}")
    return path


def _find(module: str, root: Path) -> Path | None:
    if module.partition(".")[0] != PACKAGE:
        return None
    stem = root.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def imports_of(path: Path, root: Path) -> tuple[list[str], list[str]]:
    """Package modules and other top-level libraries that a source file imports."""
    return _resolved_imports(path, root, *_version_of(path))


@functools.cache
def _resolved_imports(path: Path, root: Path, *_version: int) -> tuple[list[str], list[str]]:
    own: list[str] = []
    libraries: list[str] = []
    for node in _read(path)[1]:
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            base = _base(path, node, root)
            # What is imported from a package may be a module.
            names = [base, *(f"{base}.{name}" for name in names)]
        for name in names:
            top = name.partition(".")[0]
            if top == PACKAGE:
                own += [name] if _find(name, root) else []
            elif top not in sys.stdlib_module_names:
                libraries.append(top)
    return own, libraries


def _statements_that_run(node: ast.AST) -> Iterator[ast.stmt]:
    """Statements at any depth, but for those under `if TYPE_CHECKING`."""
    test = getattr(node, "test", None)
    never = isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
    for block in _BLOCKS:
        for child in () if never and block == "body" else getattr(node, block, ()):
            if isinstance(child, ast.stmt):
                yield child
            yield from _statements_that_run(child)


def _base(path: Path, node: ast.ImportFrom, root: Path) -> str:
    """The module after `from`, relative ones resolved."""
    if not node.level:
        return node.module or ""
    package = path.parent.relative_to(root).parts
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
