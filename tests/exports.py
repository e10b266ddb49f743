"""Exported folders of small networks, for tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from detectors import detector_of
from networks import random_clips
from recognisers import make

from spoken_digits.embedded.package.folder import export_files
from spoken_digits.embedded.package.model import Model
from spoken_digits.embedded.package.templates import Project

LABELS = ["oui", "non", "peut-être ??/", "da", "sd_5"]
PROJECT = Project(version="1.2.3", licence="MIT", authors="someone")


def exported(firmware: Path, kind: str, **changed: object) -> dict[str, bytes]:
    """The folder of a small recogniser of `kind`; `changed` are fields of `Model`, or arguments."""
    network, spec = make(kind)
    options = {
        "network": network,
        "spec": spec,
        "name": "sd_words",
        "labels": LABELS[: network.n_classes],
        "provenance": {"corpus": "made up"},
        "golden": random_clips(1),
        "firmware": firmware,
        "licence": "free\n",
        "project": PROJECT,
    } | changed
    options.setdefault("detector", detector_of(network, options["labels"]))
    fields = {field.name for field in dataclasses.fields(Model)}
    model = Model(**{key: value for key, value in options.items() if key in fields})
    return export_files(model, **{key: options[key] for key in options.keys() - fields})


def unpack(folder: Path, firmware: Path, kind: str, **changed: object) -> Path:
    """The same, written into `folder`."""
    for path, content in exported(firmware, kind, **changed).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
