"""The worst mistakes as sound: players that need no network, waveforms with the part heard."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spoken_digits import audio
from spoken_digits.audio import Waveform
from spoken_digits.data.clips import ClipArchive
from spoken_digits.evaluation.html_report.markup import Html, element
from spoken_digits.evaluation.html_report.record import Record
from spoken_digits.evaluation.html_report.svg import picture
from spoken_digits.features.lengths import heard_part
from spoken_digits.features.registry import make_extractor

_MAX_RATE_HZ = 16_000
_MAX_S = 4.0
_WIDTH, _HEIGHT = 280, 60


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A clip that one model gets wrong in every run."""

    utterance: str
    speaker: str
    actual: str
    predicted: str
    """What that model says, in most runs."""
    n_wrong: int
    """Runs of all models that get it wrong."""
    n_runs: int

    @property
    def is_suspect(self) -> bool:
        """Whether nobody gets it right: perhaps another word was said."""
        return self.n_wrong == self.n_runs


def worst(record: Record, name: str) -> list[Mistake]:
    """Clips that a model gets wrong in every run, those first that most other models miss too.

    Voices never heard where they are recorded, or else the test clips.
    """
    runs = record.answers if name in record.answers else record.tested
    named = {row: table for row, table in runs.items() if "utterance" in table}
    model = name if name in named else name.partition(".")[0]
    if model not in named:
        return []
    every = _wrong(pd.concat(named.values(), ignore_index=True))
    of_model = named[model]
    missed = _wrong(of_model)
    missed = missed[missed["wrong"] == missed["runs"]]
    table = of_model[of_model["utterance"].isin(missed.index)]
    found = []
    for utterance, rows in table.groupby("utterance", sort=True):
        first = rows.iloc[0]
        found.append(
            Mistake(
                utterance=str(utterance),
                speaker=first["speaker"],
                actual=first["actual"],
                predicted=rows["predicted"].mode().iloc[0],
                n_wrong=int(every["wrong"][utterance]),
                n_runs=int(every["runs"][utterance]),
            )
        )
    return sorted(found, key=lambda m: (-m.n_wrong / m.n_runs, -m.n_runs, m.utterance))


def one_of_each(mistakes: list[Mistake]) -> list[Mistake]:
    """The first clip of each speaker, word and answer."""
    kinds: dict[tuple[str, str, str], Mistake] = {}
    for mistake in mistakes:
        kinds.setdefault((mistake.speaker, mistake.actual, mistake.predicted), mistake)
    return list(kinds.values())


def _wrong(answers: pd.DataFrame) -> pd.DataFrame:
    """By utterance: how many runs get it wrong, and how many there are."""
    wrong = (answers["predicted"] != answers["actual"]).groupby(answers["utterance"])
    return pd.DataFrame({"wrong": wrong.sum(), "runs": wrong.size()})


def players(record: Record, mistakes: list[Mistake], kind: str) -> Iterator[Html | None]:
    """A waveform and a player for each mistake; None where the recordings are not in reach.

    Parameters
    ----------
    record
        Its corpus holds the recordings.
    mistakes
        Which ones.
    kind
        Features of the model, which decide what part of a clip it hears.
    """
    if record.manifest is None or not (record.raw / "audio.zip").exists():
        yield from (None for _ in mistakes)
        return
    archive = ClipArchive(record.raw / "audio.zip")
    rows = record.manifest.set_index("utterance")
    extractor = make_extractor(kind, record.config)
    for mistake in mistakes:
        if mistake.utterance not in rows.index:  # of an earlier recording of the corpus
            yield None
            continue
        path = str(rows.at[mistake.utterance, "path"])
        content = archive.read(path, str(rows.at[mistake.utterance, "sha256"]))
        waveform, found = audio.decode(content, path)
        heard = heard_part(extractor, waveform, found.sample_rate)
        yield _player(mistake, waveform, found.sample_rate, heard)


def _player(
    mistake: Mistake, waveform: Waveform, sample_rate: int, heard: tuple[float, float]
) -> Html:
    rate = min(sample_rate, _MAX_RATE_HZ)
    clip = audio.resample(waveform, sample_rate, rate)[: round(_MAX_S * rate)]
    peak = float(np.abs(clip).max()) or 1.0
    # Loud enough to hear: clips of this corpus differ by 20 dB.
    data = base64.b64encode(audio.to_wav(clip * np.float32(0.7 / peak), rate)).decode()
    what = f"{mistake.utterance}: “{mistake.actual}” by {mistake.speaker}"
    duration = len(clip) / rate
    cut = heard[0] > 0 or heard[1] < duration
    part = f"{heard[0]:.2f} to {min(heard[1], duration):.2f} s" if cut else "all"
    return element(
        "div",
        _wave(clip, rate, heard),
        element("p", f"{duration:.2f} s; the model hears {part} of it", class_="muted"),
        element(
            "audio",
            controls=True,
            preload="none",
            src=f"data:audio/wav;base64,{data}",
            aria_label=what,
        ),
    )


def _wave(clip: Waveform, rate: int, heard: tuple[float, float]) -> Html:
    """The clip's envelope, the parts outside `heard` (seconds) shaded."""
    n = min(_WIDTH, len(clip))
    blocks = np.array_split(clip / (float(np.abs(clip).max()) or 1.0), n)
    middle, scale, step = _HEIGHT / 2, _HEIGHT / 2 - 2, _WIDTH / n
    path = "".join(
        f"M{i * step:.1f} {middle - scale * float(block.max()):.1f}"
        f"v{max(0.8, scale * float(block.max() - block.min())):.1f}"
        for i, block in enumerate(blocks)
    )
    duration = len(clip) / rate
    start, stop = (min(duration, edge) / duration * _WIDTH for edge in heard)
    shaded = [
        element("rect", x=f"{a:.1f}", y=0, width=f"{b - a:.1f}", height=_HEIGHT, class_="unheard")
        for a, b in ((0.0, start), (stop, float(_WIDTH)))
        if b - a >= 0.5
    ]
    return picture(
        _WIDTH,
        _HEIGHT,
        f"waveform, {duration:.2f} s",
        shaded,
        element("path", d=path, class_="envelope"),
    )
