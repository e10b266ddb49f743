"""Export a network for firmware engineers: one small, self-contained folder of C.

Recogniser, front-end, network, their constants, worked examples, golden vectors to check a port
with, and what CMake, Arduino, PlatformIO, ESP-IDF and Zephyr need. The same network gives the same
bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spoken_digits.embedded import host_detector, host_recogniser
from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.package import golden as golden_vectors
from spoken_digits.embedded.package import listening, manifest, templates
from spoken_digits.embedded.package import prefix as prefixes
from spoken_digits.embedded.package.golden import Golden
from spoken_digits.embedded.package.readme import Readme
from spoken_digits.embedded.package.templates import Project
from spoken_digits.errors import UserError
from spoken_digits.integer.detector.specification import DetectorSpec
from spoken_digits.integer.frontend.extraction import Spec
from spoken_digits.integer.graph import IntegerGraph
from spoken_digits.rejection.labels import NOT_WORDS

_DECIMATOR = "sd_decimator.c"  # for the application: the recogniser does without

_MODEL_TYPE = "sd_model"  # no file, but a name in C

_SOURCE, _ENGINE, _SELFTEST = "src", "src/engine", "src/selftest"


def export_files(
    network: IntegerGraph,
    spec: Spec,
    detector: DetectorSpec,
    *,
    name: str,
    labels: Sequence[str],
    provenance: Mapping[str, object],
    golden: Sequence[Golden],
    firmware: Path,
    licence: str,
    project: Project,
    measured: Mapping[str, int] | None = None,
    proof: Mapping[str, Any] | None = None,
    prefix: str = prefixes.DEFAULT,
) -> dict[str, bytes]:
    """Content of the folder.

    Parameters
    ----------
    network
        What to export.
    spec
        The front-end that computes its features.
    detector
        When to listen and when to believe.
    name
        Lower-case C identifier of the network and stem of its files, such as ``sd_digits``.
    labels
        (n_classes,) the words, in the order of the logits.
    provenance
        Facts about the model, printed one per line: corpus, its licence, accuracy.
        Must not hold a time or a path.
    golden
        A few short clips, at least one: (utterance, int16 samples at ``spec.sample_rate``).
    firmware
        Folder of the C sources.
    licence
        Text of the licence of the C sources.
    project
        Version and licence that the packages name.
    measured
        Figures for the README: ``flash_bytes``, ``stack_bytes``, ``instructions_m0``, ...
    proof
        Figures for the manifest, and what :func:`spoken_digits.embedded.proof.record` says, or
        ``not_measured``: why nothing.
    prefix
        What every identifier, macro and file name starts with instead of ``sd_``.

    Returns
    -------
    dict
        Path inside the folder, with ``/``, to content; sorted.

    Raises
    ------
    ValueError
        Front-end and network do not match, there is no golden clip or an empty one, or `name` or
        `prefix` cannot be used.
    UserError
        A C source is missing.
    """
    prefixes.check(prefix)
    if not golden or any(len(pcm) == 0 for _, pcm in golden):
        raise ValueError("a golden clip is needed, and samples in every one")
    facts = {
        prefixes.shielded(key): prefixes.shielded(value) if isinstance(value, str) else value
        for key, value in provenance.items()
    }
    words = [prefixes.shielded(label) for label in labels]
    clips = [(prefixes.shielded(utterance), pcm) for utterance, pcm in golden]
    generated = host_recogniser.model_files(network, spec, name, labels=words, provenance=facts)
    generated |= c_recogniser.c_files(network, spec, name, list(labels))  # the digest is of these
    generated |= c_detector.c_files(detector, network, spec, name, list(labels))
    sources = [*host_detector.source_paths(firmware, network, spec), firmware / _DECIMATOR]
    shared = {path.name: _read(path) for path in sources}
    shared |= _headers([*shared.values(), *generated.values()], firmware, generated)
    golden_files = golden_vectors.clip_files(network, spec, clips)
    events = listening.golden_events(detector, network, spec, [pcm for _, pcm in clips])
    golden_files |= listening.golden_files(events)
    n_words = sum(label not in NOT_WORDS for label in labels)
    texts = templates.filled(firmware, name, n_words, project)
    texts |= {f"{_SELFTEST}/{file}": text for file, text in golden_files.items()}
    if name in {_MODEL_TYPE, *(Path(path).stem for path in [*shared, *texts]), "model", "detector"}:
        raise ValueError(f"{name!r} is the name of another file in the folder")
    texts |= {f"{_ENGINE}/{file}": text for file, text in shared.items()}
    texts |= {f"{_SOURCE}/{file}": _in_src(text, shared) for file, text in generated.items()}
    readme = Readme(
        network=network,
        spec=spec,
        name=name,
        labels=words,
        provenance=facts,
        utterances=[utterance for utterance, _ in clips],
        measured=measured or {},
        proof=proof or {},
        detector=detector,
    )
    texts["README.md"] = readme.text()
    texts = prefixes.renamed(texts, prefix) | {"LICENSE": licence}
    files = {path: text.encode() for path, text in texts.items()}
    files[manifest.FILE] = manifest.text(
        network,
        spec,
        detector,
        name=prefixes.with_prefix(name, prefix),
        labels=labels,
        provenance=provenance,
        measured=proof or {},
        project=project,
        abi=_abi(shared),
        files=files,
    ).encode()
    return {path: files[path] for path in sorted(files)}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} is missing: take it from the repository again") from None


def _abi(shared: Mapping[str, str]) -> int:
    """Version of what the generated files and those of all models agree on."""
    return int(re.findall(r"^#define SD_ABI (\d+)u", shared["sd_recogniser.h"], re.M)[0])


def _in_src(text: str, shared: Mapping[str, str]) -> str:
    """A generated file that finds the headers of all models in their folder."""

    def moved(found: re.Match[str]) -> str:
        engine = "engine/" if found[1] in shared else ""
        return f'#include "{engine}{found[1]}"'

    return re.sub(r'#include "([^"]+)"', moved, text)


def _headers(texts: Iterable[str], firmware: Path, generated: Mapping[str, str]) -> dict[str, str]:
    """The headers in `firmware` that `texts` include, directly or indirectly."""
    found: dict[str, str] = {}
    pending = list(texts)
    while pending:
        for header in re.findall(r'#include "([^"]+)"', pending.pop()):
            if header not in found and header not in generated:
                found[header] = _read(firmware / header)
                pending.append(found[header])
    return found
