"""The map of the data: every clip as a point, near where its features are alike.

Two linear projections of recorded features, since they are fast and the same on every machine:
what lies near on the map may lie apart in what the map leaves out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.data.store import FeatureStore, read_features
from spoken_digits.evaluation.html_report.markup import Html, element
from spoken_digits.evaluation.html_report.palette import N_SERIES
from spoken_digits.evaluation.html_report.svg import line, picture, text

MOST_CLIPS = 3000
"""Of a larger corpus every n-th clip is shown."""
MOST_CHOICES = 20
"""More speakers than this are not offered for choice."""
_SEGMENTS, _BANDS = 8, 40
_SIZE = 400


@dataclass(frozen=True, kw_only=True)
class Map:
    """Where the clips lie."""

    clips: pd.DataFrame
    """Rows of the manifest that are shown."""
    points: NDArray[np.float64]
    """(n_clips, 2), in units of the figure."""
    kind: str
    """Of the features."""
    explained: float
    """Share of the features' variance on the map."""


def locate(folder: Path, manifest: pd.DataFrame, kinds: Sequence[str]) -> Map | None:
    """Project the first of `kinds` that is in `folder`; None if none is."""
    for kind in kinds:
        if (folder / kind / "features.json").exists():
            store = read_features(folder / kind, manifest)
            rows = np.arange(0, len(manifest), -(-len(manifest) // MOST_CLIPS))
            if len(rows) < 3:
                return None
            points, explained = principal(summaries(store, rows))
            clips = manifest.iloc[rows].reset_index(drop=True)
            return Map(clips=clips, points=_fitted(points), kind=kind, explained=explained)
    return None


def summaries(store: FeatureStore, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means over eight stretches of each clip and at most forty bands, (n_clips, n_values)."""
    n_coefficients = store.x.shape[2]
    bands = np.array_split(np.arange(n_coefficients), min(_BANDS, n_coefficients))
    starts = np.array([band[0] for band in bands])
    widths = np.array([len(band) for band in bands])
    made = []
    for row in rows:
        valid = np.asarray(store.x[row, : max(1, int(store.n_frames[row]))], np.float64)
        edges = np.linspace(0, len(valid), _SEGMENTS + 1)
        parts = [
            valid[int(a) : max(int(a) + 1, int(b))].mean(axis=0)
            for a, b in itertools.pairwise(edges)
        ]
        made.append(np.add.reduceat(np.array(parts), starts, axis=1) / widths)
    return np.array(made).reshape(len(rows), -1)


def principal(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The two principal components (n, 2), and the share of the variance that they hold."""
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, [-1, -2]]
    # An axis has no direction of its own: its largest entry is made positive.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    total = float(values.sum())
    return centred @ axes, float(values[-2:].sum()) / total if total > 0 else 0.0


def _fitted(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled to the figure, a little room left at the edges; outliers are moved to the edge."""
    low, high = np.quantile(points, [0.002, 0.998], axis=0)
    span = np.where(high > low, high - low, 1.0)
    return np.asarray(12 + np.clip((points - low) / span, 0, 1) * (_SIZE - 24))


def draw(found: Map, labels: Sequence[str], wrong: set[str]) -> Html:
    """The map, with choices of word and speaker that work without scripts.

    Parameters
    ----------
    found
        From `locate`.
    labels
        The words, in order.
    wrong
        Utterances that are ringed.
    """
    speakers = sorted(set(found.clips["speaker"]))
    choices = [("word", labels, "w")]
    if len(speakers) <= MOST_CHOICES:
        choices += [("speaker", speakers, "p")]
    made = []
    for i, label in enumerate(labels):
        for j, speaker in enumerate(speakers):
            own = (found.clips["label"] == label) & (found.clips["speaker"] == speaker)
            if own.any():
                path = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in found.points[own.to_numpy()])
                made += [element("path", d=path, class_=f"k{i % N_SERIES} w{i} p{j}")]
    centres = []
    for label in labels:
        x, y = np.median(found.points[(found.clips["label"] == label).to_numpy()], axis=0)
        centres += [text(round(x), round(y) + 5, label, "middle", "centre")]
    rings = [
        line([(x - 4, y - 4), (x + 4, y + 4)], "wrong")
        + line([(x - 4, y + 4), (x + 4, y - 4)], "wrong")
        for x, y in np.round(found.points[found.clips["utterance"].isin(wrong).to_numpy()])
    ]
    title = f"map of {len(found.clips):,} clips by their {found.kind} features"
    drawn = picture(_SIZE, _SIZE, title, made, [Html(ring) for ring in rings], centres)
    return element(
        "div", drawn, element("div", [_choice(*choice) for choice in choices]), class_="map"
    )


def _choice(title: str, names: Sequence[str], letter: str) -> Html:
    """Radio buttons; `rules` shows what they choose."""
    buttons = [
        element(
            "label",
            element(
                "input",
                type="radio",
                name=f"map-{letter}",
                id=f"map-{letter}{i}",
                checked=i == -1,
            ),
            element("span", name),
        )
        for i, name in enumerate(["all", *names], start=-1)
    ]
    return element("fieldset", element("legend", f"Show one {title}"), buttons)


def rules(n_words: int, n_speakers: int) -> str:
    """CSS that hides the clips of words and speakers that are not chosen."""
    counts = [("w", n_words), ("p", n_speakers if n_speakers <= MOST_CHOICES else 0)]
    return "".join(
        f".map:has(#map-{letter}{i}:checked) path[class]:not(.{letter}{i},.wrong){{opacity:.04}}"
        for letter, n in counts
        for i in range(n)
    )
