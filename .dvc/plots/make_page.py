"""Build page.html, the page that `dvc plots show` and `dvc plots diff` fill.

DVC's own page loads Vega from a content network, so it stays blank without one.
This one carries the same three libraries inside; .dvc/config names it under
`plots.html_template`, and DVC puts the plots where the page says so.

Reads   page_skeleton.html beside this file; vega, vega-lite, vega-embed (npm)
Writes  page.html beside this file
Run     python .dvc/plots/make_page.py      (needs npm; page.html is committed)
"""

import hashlib
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

SKELETON = Path(__file__).with_name("page_skeleton.html")
PAGE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, kw_only=True)
class Library:
    """One npm package whose browser build is inlined."""

    name: str
    version: str
    path: str  # of the minified browser build inside the package
    sha256: str  # of that build as inlined, see `inlinable`

    @property
    def slot(self) -> str:
        """The line of the skeleton that this library replaces."""
        return f"<!-- inline: {self.name} -->"

    @property
    def opening_tag(self) -> str:
        """The tag in front of the library's code."""
        return f'<script data-package="{self.name}" data-version="{self.version}">'


# The newest of the series that draw Vega-Lite 5, the schema of DVC's own templates.
# To move on: change a version, run this script, copy the sum that it reports.
LIBRARIES = (
    Library(
        name="vega",
        version="5.33.1",
        path="build/vega.min.js",
        sha256="135831f62920743d4467bec0df2d78eedd16fa3444077419f1dfc9aa0d55e6da",
    ),
    Library(
        name="vega-lite",
        version="5.23.0",
        path="build/vega-lite.min.js",
        sha256="9525bc3368d62c580e8fcbf5db63c4a95c04052fe32ced063817c677cc98801c",
    ),
    Library(
        name="vega-embed",
        version="6.29.0",
        path="build/vega-embed.min.js",
        sha256="16512fd17119051ee3f859467e174fe1503ff86c0a4743aaf8b7c10da3dd83e0",
    ),
)


class PageError(Exception):
    """The page cannot be built; the message says what to do."""


def main() -> None:
    """Fetch the libraries, check them, write the page."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = {lib.name: inlinable(fetch(lib, Path(folder))) for lib in LIBRARIES}
    for library in LIBRARIES:
        check_sum(library, scripts[library.name])
    page = fill(SKELETON.read_text(encoding="utf-8"), scripts)

    partial = PAGE.with_suffix(".partial")
    partial.write_text(page, encoding="utf-8", newline="\n")
    partial.replace(PAGE)
    print(f"{PAGE.name}: {PAGE.stat().st_size / 1024:.0f} KiB")


def fetch(library: Library, folder: Path) -> str:
    """Return the browser build of `library`, downloaded with the npm client."""
    package = f"{library.name}@{library.version}"
    try:
        subprocess.run(
            ["npm", "pack", "--silent", package],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise PageError("npm is not installed; it comes with Node.js") from error
    except subprocess.CalledProcessError as error:
        raise PageError(f"npm could not fetch {package}; see its message") from error
    with tarfile.open(folder / f"{library.name}-{library.version}.tgz") as archive:
        member = archive.extractfile(f"package/{library.path}")
        if member is None:
            raise PageError(f"{package} has no file {library.path}")
        return member.read().decode("utf-8")


def inlinable(code: str) -> str:
    """Return `code` fit to stand inside a <script> element of the page.

    The pointer to the source map goes, since no such file lies beside the page, and
    no text may close the element early.
    """
    code = re.sub(r"^//# sourceMappingURL=.*$", "", code, flags=re.MULTILINE)
    return re.sub(r"</(?=script)", r"<\\/", code, flags=re.IGNORECASE).strip()


def check_sum(library: Library, code: str) -> None:
    """Raise PageError unless `code` is the build that the table above pins."""
    found = hashlib.sha256(code.encode("utf-8")).hexdigest()
    if found != library.sha256:
        raise PageError(
            f"{library.name} {library.version}: sha256 {found}, "
            f"but {Path(__file__).name} says {library.sha256}"
        )


def fill(skeleton: str, scripts: dict[str, str]) -> str:
    """Return the page: `skeleton` with each library's code, by name, in its slot."""
    page = skeleton
    for library in LIBRARIES:
        if skeleton.count(library.slot) != 1:
            raise PageError(f"{SKELETON.name} needs one line {library.slot}")
        script = f"{library.opening_tag}\n{scripts[library.name]}\n</script>"
        page = page.replace(library.slot, script)
    return page


def inlined(page: str) -> dict[str, str]:
    """Return the code of each library found in a finished page, by its name."""
    scripts = {}
    for library in LIBRARIES:
        _, found, rest = page.partition(f"{library.opening_tag}\n")
        if not found:
            raise PageError(f"no {library.name} {library.version} in {PAGE.name}")
        scripts[library.name] = rest.partition("\n</script>")[0]
    return scripts


if __name__ == "__main__":
    try:
        main()
    except PageError as error:
        raise SystemExit(f"{Path(__file__).name}: {error}") from error
