"""Export a network for firmware engineers: one small, self-contained folder of C.

Recogniser, front-end, network, their constants, worked examples, golden vectors to check a port
with, and what CMake, Arduino, PlatformIO, ESP-IDF and Zephyr need. The same network gives the same
bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spoken_digits.embedded import host_recogniser, host_stream
from spoken_digits.embedded.emit import detector as c_detector
from spoken_digits.embedded.emit import recogniser as c_recogniser
from spoken_digits.embedded.emit import sliding as c_sliding
from spoken_digits.embedded.package import golden as golden_vectors
from spoken_digits.embedded.package import listening, manifest, templates
from spoken_digits.embedded.package import prefix as prefixes
from spoken_digits.embedded.package.golden import Golden
from spoken_digits.embedded.package.model import Model
from spoken_digits.embedded.package.readme import Readme
from spoken_digits.errors import UserError
from spoken_digits.rejection.labels import NOT_WORDS

_DECIMATOR = "sd_decimator.c"  # for the application: the recogniser does without


_SOURCE, _ENGINE, _SELFTEST = "src", "src/engine", "src/selftest"


def export_files(
    model: Model,
    *,
    golden: Sequence[Golden],
    firmware: Path,
    licence: str,
    measured: Mapping[str, int] | None = None,
    proof: Mapping[str, Any] | None = None,
    prefix: str = prefixes.DEFAULT,
) -> dict[str, bytes]:
    """Content of the folder.

    Parameters
    ----------
    model
        What to export.
    golden
        A few short clips, at least one: (utterance, int16 samples at ``spec.sample_rate``).
    firmware
        Folder of the C sources.
    licence
        Text of the licence of the C sources.
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
        Front-end and network do not match, there is no golden clip or an empty one, or `prefix`
        cannot be used.
    UserError
        A C source is missing, or the model's name is that of something else.
    """
    prefixes.check(prefix)
    if not golden or any(len(pcm) == 0 for _, pcm in golden):
        raise ValueError("a golden clip is needed, and samples in every one")
    network, spec, detector, name = model.network, model.spec, model.detector, model.name
    labels = list(model.labels)
    shielded = _shielded(model)
    clips = [(prefixes.shielded(utterance), pcm) for utterance, pcm in golden]
    generated = host_recogniser.model_files(
        network, spec, name, labels=shielded.labels, provenance=shielded.provenance
    )
    generated |= c_recogniser.c_files(network, spec, name, labels)  # the digest is of these
    generated |= c_detector.c_files(detector, network, spec, name, labels)
    sources = [*host_stream.source_paths(detector, firmware, network, spec), firmware / _DECIMATOR]
    if model.sliding is not None:
        generated |= c_sliding.c_files(model.sliding, network, spec, name, labels)
        sources += [firmware / file for file in c_sliding.SOURCES]
    shared = {path.name: _read(path) for path in sources}
    shared |= _headers([*shared.values(), *generated.values()], firmware, generated)
    golden_files = golden_vectors.clip_files(network, spec, clips)
    events = listening.golden_events(detector, network, spec, [pcm for _, pcm in clips])
    golden_files |= listening.golden_files(events)
    n_words = sum(label not in NOT_WORDS for label in labels)
    texts = templates.filled(firmware, name, n_words, model.project)
    texts |= {f"{_SELFTEST}/{file}": text for file, text in golden_files.items()}
    taken = {*(Path(path).stem for path in [*shared, *texts]), "model", "detector", "sliding"}
    if name in taken or any(re.search(rf"\b{name}\b", text) for text in shared.values()):
        raise UserError(
            f"{name} names something else in the folder: rename the model under `variants` in "
            "params.yaml"
        )
    texts |= {f"{_ENGINE}/{file}": text for file, text in shared.items()}
    texts |= {f"{_SOURCE}/{file}": _in_src(text, shared) for file, text in generated.items()}
    readme = Readme(
        model=shielded,
        utterances=[utterance for utterance, _ in clips],
        measured=measured or {},
        proof=proof or {},
    )
    texts["README.md"] = readme.text()
    texts = prefixes.renamed(texts, prefix) | {"LICENSE": licence}
    files = {path: text.encode() for path, text in texts.items()}
    named = replace(model, name=prefixes.with_prefix(name, prefix))
    files[manifest.FILE] = manifest.text(
        named, measured=proof or {}, abi=_abi(shared), files=files
    ).encode()
    return {path: files[path] for path in sorted(files)}


def _shielded(model: Model) -> Model:
    """The model with words and facts that no prefix changes."""
    facts = {
        prefixes.shielded(key): prefixes.shielded(value) if isinstance(value, str) else value
        for key, value in model.provenance.items()
    }
    return replace(
        model, labels=[prefixes.shielded(label) for label in model.labels], provenance=facts
    )


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
