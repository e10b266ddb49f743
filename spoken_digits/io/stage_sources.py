"""Which code each stage of the pipeline runs, written for DVC, which does not see imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spoken_digits.errors import UserError
from spoken_digits.io import files
from spoken_digits.io.sources import PACKAGE, ROOT, digest_of_file, imports_of, sources_of

LOADED_BY_NAME = tuple(
    f"{PACKAGE}/{package}"
    for package in ("augmentation", "features", "models/architectures", "quantization")
)
"""Packages whose modules parameters name."""
DIGESTS = Path("data/sources")
"""Where a checkout has the digests of its code."""


def write(root: Path, digests: Path | None = None) -> None:
    """Write the digests of every stage and of every module that is loaded by its name.

    Parameters
    ----------
    root
        The checkout.
    digests
        The folder to write; default: `DIGESTS` in the checkout. In it, ``stages/<script>.json``
        and ``spoken_digits/<...>/<module>.json`` map each file that the script or the module runs
        to its digest.

    Raises
    ------
    UserError
        Another package than that of the checkout runs.
    """
    if differing := _differing(root):
        raise UserError(
            f"{differing} of this folder is not what runs, which is of {ROOT}: set PYTHONPATH to "
            "this folder, or make an environment of its own (`make setup`)"
        )
    scripts = list((root / "stages").glob("*.py"))
    for package in LOADED_BY_NAME:
        scripts += (path for path in (root / package).glob("*.py") if path.stem != "__init__")
        scripts += (root / package).glob("*/__init__.py")
    with files.replacing(digests or root / DIGESTS) as folder:
        for script in scripts:
            name = script.parent if script.name == "__init__.py" else script.with_suffix("")
            path = folder / f"{name.relative_to(root)}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_json(path, digests_of_script(script, root))


def _differing(root: Path) -> str:
    """A file of the package in a checkout that differs from the one that runs; empty if none."""
    if root == ROOT:
        return ""
    for top, other in ((root, ROOT), (ROOT, root)):
        package = top / PACKAGE
        for path in sorted([*package.rglob("*.py"), *_data_files_below(package)]):
            name = path.relative_to(top)
            twin = other / name
            if not twin.is_file() or not _same(path, twin):
                return str(name)
    return ""


def _same(path: Path, twin: Path) -> bool:
    """Whether two files are the same code."""
    # To compare bytes takes a hundredth of the time of a digest.
    return path.read_bytes() == twin.read_bytes() or digest_of_file(path) == digest_of_file(twin)


def digests_of_script(script: Path, root: Path) -> dict[str, str]:
    """Digest of each file that a script or a module runs or reads as part of its packages.

    Parameters
    ----------
    script
        A Python file.
    root
        The folder in which the package lies.

    Returns
    -------
    By path relative to `root`, sorted: the script itself, all modules that it imports, and what
    lies beside them that is no Python, such as style sheets.
    """
    files = {script, *sources_of(imports_of(script, root)[0], root).values()}
    packages = {path.parent for path in files if path.name == "__init__.py"}
    if (script.parent / "__init__.py").is_file():
        packages.add(script.parent)
    for package in packages:
        files.update(_data_files(package))
    digests = {path.relative_to(root).as_posix(): digest_of_file(path) for path in files}
    return dict(sorted(digests.items()))


def _data_files_below(package: Path) -> Iterator[Path]:
    """`_data_files` of a package and of all packages in it."""
    for marker in package.rglob("__init__.py"):
        yield from _data_files(marker.parent)


def _data_files(package: Path) -> Iterator[Path]:
    """Files in the folder of a package, and below it but in other packages, that are no Python."""
    for path in package.iterdir():
        if path.name.startswith("."):  # of an editor, or of the system
            continue
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)
        elif path.is_file() and path.suffix not in {".py", ".pyc", ".typed"}:
            yield path
