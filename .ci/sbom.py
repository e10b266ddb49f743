"""Licences of the installed dependencies, and a software bill of materials.

Reads   requirements.txt, and the metadata of the packages in this environment
Writes  build/sbom.cdx.json (CycloneDX 1.6), build/licences.md
Run     make sbom
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from spoken_digits.io.files import write_bytes

TOP = Path(__file__).resolve().parent.parent
UNKNOWN = "not declared"
_LONGEST = 80  # some packages put the whole text of a licence into the field


def pinned(requirements: str) -> dict[str, set[str]]:
    """Package -> every version that requirements.txt pins: one a platform or version of Python."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", requirements, re.M
    ):
        versions.setdefault(name, set()).add(version)
    return versions


def licence(package: metadata.PackageMetadata) -> str:
    """What the package declares: an SPDX expression, its classifiers, or a short free text."""
    for key in ("License-Expression", "License"):
        text = (package.get(key) or "").strip()
        if key == "License-Expression" and text:
            return text
        classifiers = [
            one.rpartition(" :: ")[2]
            for one in package.get_all("Classifier") or []
            if one.startswith("License :: ")
        ]
        if key == "License" and classifiers:
            return " / ".join(sorted(classifiers))
        if text and len(text) <= _LONGEST and "\n" not in text:
            return text
    return UNKNOWN


def components(names: Iterable[str]) -> list[dict[str, Any]]:
    """A CycloneDX component for each package that is installed here, sorted by name."""
    found = []
    for name in sorted(names, key=str.lower):
        try:
            package = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform or version of Python
        version, declared = package["Version"], licence(package)
        purl = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
        found.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "purl": purl,
                "licenses": [] if declared == UNKNOWN else [{"license": {"name": declared}}],
            }
        )
    return found


def sbom(version: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The bill; without a time and a serial number, so that the same parts give the same bytes."""
    own = {"type": "application", "name": "spoken-digits", "version": version}
    own |= {"bom-ref": "spoken-digits", "licenses": [{"license": {"id": "MIT"}}]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": parts,
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": [one["bom-ref"] for one in parts]},
        ],
    }


def licences_page(parts: list[dict[str, Any]]) -> str:
    """A Markdown table: package, version, licence."""
    rows = [
        (one["name"], one["version"], one["licenses"][0]["license"]["name"])
        if one["licenses"]
        else (one["name"], one["version"], UNKNOWN)
        for one in parts
    ]
    head = "# Licences of the dependencies\n\n| package | version | licence |\n|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    names = pinned((TOP / "requirements.txt").read_text(encoding="utf-8"))
    parts = components(names)
    differing = [one["name"] for one in parts if one["version"] not in names[one["name"]]]
    if differing:
        sys.exit(f"error: not as pinned: {', '.join(differing)}: run `make setup`")
    project = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    version = re.findall(r'^version = "(.+)"$', project, re.M)[0]
    bill = json.dumps(sbom(version, parts), indent=2) + "\n"
    write_bytes(TOP / "build/sbom.cdx.json", bill.encode())
    write_bytes(TOP / "build/licences.md", licences_page(parts).encode())
    undeclared = [one["name"] for one in parts if not one["licenses"]]
    print(
        f"build/sbom.cdx.json and build/licences.md: {len(parts)} of {len(names)} pinned packages "
        f"are installed here; no licence declared: {', '.join(undeclared) or 'none'}"
    )


if __name__ == "__main__":
    main()
