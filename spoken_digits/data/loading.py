"""The corpus as a model sees it: features, classes, subsets."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoken_digits.data import manifest
from spoken_digits.data.clips import ClipSource, clip_sources
from spoken_digits.data.dataset import Subset
from spoken_digits.data.provenance import read_provenance
from spoken_digits.data.store import read_features
from spoken_digits.data.subsets import read_split
from spoken_digits.io.files import sha256


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The clips of a corpus as features, with their split."""

    whole: Subset
    """Every clip."""
    rows: Mapping[str, NDArray[np.int64]]
    """Row numbers of each subset."""
    utterances: list[str]
    """Name of each clip."""
    speakers: list[str]
    """Who speaks each clip."""
    clips: Sequence[ClipSource]
    """Where the recording of each clip lies, for what works on waveforms."""
    labels: list[str]
    """Class i is labels[i]."""
    description: dict[str, Any]
    """Kind and parameters of the features."""
    features_fingerprint: str
    """Changes with the recordings or the features."""
    corpus: dict[str, Any]
    """Name, version, fingerprint, synthetic."""

    def subset(self, name: str) -> Subset:
        """The clips of train, val or test."""
        return dataclasses.replace(self.whole, rows=self.rows[name])

    def actual(self, name: str) -> NDArray[np.int64]:
        """Class numbers (n,) of the clips of train, val or test."""
        return self.whole.y[self.rows[name]]

    def heard(self, name: str) -> list[str] | None:
        """Who speaks the clips of train, val or test, sorted; None if the corpus does not say."""
        names = {self.speakers[row] for row in self.rows[name]}
        return None if manifest.UNKNOWN_SPEAKER in names else sorted(names)

    @property
    def split(self) -> str:
        """Fingerprint of which clip of which word is in which subset."""
        subset = {row: name for name, rows in self.rows.items() for row in rows.tolist()}
        clips = [
            [utterance, self.labels[y], subset.get(row)]
            for row, (utterance, y) in enumerate(zip(self.utterances, self.whole.y, strict=True))
        ]
        return sha256(json.dumps(clips).encode())

    @property
    def fingerprint(self) -> str:
        """Changes with the recordings, the features, the words or the split."""
        return sha256(f"{self.features_fingerprint} {self.split}".encode())

    @property
    def input_shape(self) -> tuple[int, int]:
        """(n_frames, n_coefficients) of one clip."""
        return self.whole.x.shape[1], self.whole.x.shape[2]


def load_dataset(data: Path, kind: str) -> Dataset:
    """The corpus with its split and one kind of features.

    Parameters
    ----------
    data
        Folder with raw/, features/ and split.csv as the stages make them.
    kind
        Kind of features.

    Raises
    ------
    UserError
        A file is missing, damaged, or of another corpus.
    """
    table = manifest.read_manifest(data / "raw" / "manifest.csv")
    provenance = read_provenance(data / "raw" / "provenance.json", table)
    store = read_features(data / "features" / kind, table)
    rows = read_split(data / "split.csv", table)
    labels = manifest.labels(table)
    number = {label: i for i, label in enumerate(labels)}
    return Dataset(
        whole=Subset(
            x=store.x,
            n_frames=store.n_frames,
            y=np.array([number[label] for label in table["label"]], np.int64),
            rows=np.arange(len(table)),
        ),
        rows=rows,
        utterances=table["utterance"].tolist(),
        speakers=table["speaker"].tolist(),
        clips=clip_sources(data / "raw" / "audio.zip", table),
        labels=labels,
        description=store.description,
        features_fingerprint=store.fingerprint,
        corpus={key: provenance[key] for key in ("corpus", "version", "fingerprint", "synthetic")},
    )
