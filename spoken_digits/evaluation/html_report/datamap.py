"""The map of the data: every clip as a point, near where its features are alike.

A linear projection of recorded features, since it is fast, the same on every machine and easy to
explain: what lies near on the map may lie apart in what the map leaves out.
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
from spoken_digits.evaluation.html_report.svg import picture, text

MOST_CLIPS = 3000
"""Of a larger corpus every n-th clip is shown."""
MOST_CHOICES = 20
"""More words or speakers than this are neither named on the map nor offered for choice."""
_SEGMENTS, _BANDS = 8, 40
_SIZE = 400
_FEWEST_WORDS = 3  # of fewer, all lie on one line
_SHRINKAGE = 0.1
_TINY = 1e-12


@dataclass(frozen=True, kw_only=True)
class Map:
    """Where the clips lie."""

    clips: pd.DataFrame
    """Rows of the manifest that are shown."""
    points: NDArray[np.float64]
    """(n_clips, 2), in units of the figure."""
    kind: str
    """Of the features."""
    share: float
    """Of the separation of the words, on the map."""
    n_fitted: int
    """Train clips from which the projection is found."""


def locate(folder: Path, manifest: pd.DataFrame, kind: str) -> Map | None:
    """Place the clips by their features; None if there are no features or hardly any clips.

    Parameters
    ----------
    folder
        Of the features, ``<folder>/<kind>/``.
    manifest
        The manifest, with column `subset`: the projection is found from the train clips.
    kind
        Of the features.
    """
    if not (folder / kind / "features.json").exists():
        return None
    store = read_features(folder / kind, manifest)
    rows = np.arange(0, len(manifest), -(-len(manifest) // MOST_CLIPS))
    clips = manifest.iloc[rows].reset_index(drop=True)
    train = (clips["subset"] == "train").to_numpy()
    words = clips["label"].astype("category").cat.codes.to_numpy().astype(np.int64)
    if len(set(words[train])) < _FEWEST_WORDS:
        return None
    points, share = discriminants(summaries(store, rows), words, train)
    return Map(
        clips=clips, points=_fitted(points), kind=kind, share=share, n_fitted=int(train.sum())
    )


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


def discriminants(
    x: NDArray[np.float64], labels: NDArray[np.int64], fitted_on: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """The two directions that separate the words best, linear discriminants (Fisher 1936).

    Parameters
    ----------
    x
        (n, n_values).
    labels
        (n,) numbers of the words.
    fitted_on
        (n,) the clips from which the directions are found.

    Returns
    -------
    points
        (n, 2).
    share
        Of the separation that all directions give, within-word spread counting as one.
    """
    known, words = x[fitted_on], labels[fitted_on]
    centred = x - known.mean(axis=0)
    present, which = np.unique(words, return_inverse=True)
    means = np.array([known[words == word].mean(axis=0) for word in present])[which]
    within = np.cov(known - means, rowvar=False)
    # Shrunk towards equal spread in all directions: stable with few clips.
    within += _SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    whitening = vectors / np.sqrt(np.maximum(values, _TINY))
    between = np.cov(means @ whitening, rowvar=False)
    values, vectors = np.linalg.eigh(between)
    axes = whitening @ vectors[:, [-1, -2]]
    # An axis has no direction of its own: its largest entry is made positive.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return centred @ axes, float(values[-2:].sum() / max(values.sum(), _TINY))


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
        Utterances that are crossed out.
    """
    speakers = sorted(set(found.clips["speaker"]))
    offered = (("word", labels, "w"), ("speaker", speakers, "p"))
    choices = [choice for choice in offered if len(choice[1]) <= MOST_CHOICES]
    made, crosses = [], []
    for i, label in enumerate(labels):
        for j, speaker in enumerate(speakers):
            clips = found.clips
            own = ((clips["label"] == label) & (clips["speaker"] == speaker)).to_numpy()
            chosen = f"w{i} p{j}"
            dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in found.points[own])
            made += [element("path", d=dots, class_=f"k{i % N_SERIES} {chosen}")] if dots else []
            missed = own & clips["utterance"].isin(wrong).to_numpy()
            marks = "".join(
                f"M{x - 4:.0f} {y - 4:.0f}l8 8m0-8l-8 8" for x, y in found.points[missed]
            )
            crosses += [element("path", d=marks, class_=f"wrong {chosen}")] if marks else []
    centres = []
    for label in labels if len(labels) <= MOST_CHOICES else ():
        shown = found.points[(found.clips["label"] == label).to_numpy()]
        if len(shown):  # a rare word may be among the clips that are not drawn
            x, y = np.median(shown, axis=0)
            centres += [text(round(x), round(y) + 5, label, "middle", "centre")]
    title = f"map of {len(found.clips):,} clips by their {found.kind} features"
    drawn = picture(_SIZE, _SIZE, title, made, crosses, centres)
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
    counts = (("w", n_words), ("p", n_speakers))
    return "".join(
        f".map:has(#map-{letter}{i}:checked) path:not(.{letter}{i}){{opacity:.04}}"
        for letter, n in counts
        if n <= MOST_CHOICES
        for i in range(n)
    )
