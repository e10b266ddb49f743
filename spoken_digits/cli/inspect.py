"""`spoken-digits inspect`: what a recording, or a folder of them, is like."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError, printable

if TYPE_CHECKING:
    from spoken_digits.audio import Waveform
    from spoken_digits.inspection.corpus import OwnWords
    from spoken_digits.inspection.quality import Quality
    from spoken_digits.recogniser import Recogniser

HELP = "check a recording, or a folder of them, before training"
EXAMPLES = (
    "spoken-digits inspect recording.wav",
    "spoken-digits inspect recording.wav --model tiny.int8 --picture recording.png",
    "spoken-digits inspect my-words/",
)
EXPECTED = Path("plots/expected")
_COLUMNS = 60
_SHOWN_DB = 60.0
"""Levels are shown from here below full scale."""
_BINS = 20
_MOST = 10
_MOST_WORDS = 40
_MOST_SPEAKERS = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to look at, and how."""
    parser.add_argument(
        "path", type=named_path, metavar="FILE|FOLDER", help="a recording, or a folder"
    )
    parser.add_argument(
        "--model", help="also show what this model makes of it: a file, or a name in models/"
    )
    parser.add_argument(
        "--picture", type=named_path, metavar="PNG", help="draw the recording into this file"
    )
    parser.add_argument(
        "--pattern",
        metavar="REGEX",
        help="regular expression for file names, with groups label, speaker and take",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the summary."""
    if not arguments.path.is_dir():
        _file(arguments)
        return
    if arguments.picture or arguments.model:
        raise UserError("--picture and --model are of one recording: name a file, not a folder")
    _folder(arguments.path, arguments.pattern)


def _file(arguments: argparse.Namespace) -> None:
    from spoken_digits import audio
    from spoken_digits.cli import places
    from spoken_digits.inspection.quality import measure
    from spoken_digits.recogniser import Recogniser

    if arguments.pattern is not None:
        raise UserError("--pattern is of a folder's file names: leave it out, or name a folder")
    if arguments.picture and arguments.picture.suffix.lower() != ".png":
        raise UserError(f"--picture {arguments.picture}: pictures are PNG, name it .png")
    waveform, audio_format = audio.read(arguments.path)
    rate = audio_format.sample_rate
    model = Recogniser(places.model_file(arguments.model)) if arguments.model else None
    quality = measure(waveform, rate)
    print(
        f"{printable(str(arguments.path))}: {audio_format.container} {audio_format.subtype}, "
        f"{rate:,} Hz, {audio_format.n_channels} channel(s), {quality.duration_s:.2f} s"
    )
    _print_quality(waveform, rate, quality)
    if model is not None:
        _print_heard(waveform, rate, model)
    for problem in [*([audio_format.note] if audio_format.note else []), *quality.problems()]:
        print(f"note: {problem}")
    if arguments.picture:
        from spoken_digits.inspection.picture import draw

        draw(
            arguments.picture,
            printable(arguments.path.name),
            waveform,
            rate,
            heard_s=model.heard_part(waveform, rate) if model else None,
            features=model.features(waveform, rate) if model else None,
        )
        print(f"picture: {arguments.picture}")


def _print_quality(waveform: Waveform, rate: int, quality: Quality) -> None:
    import numpy as np

    from spoken_digits.cli import text
    from spoken_digits.inspection.quality import levels

    level = levels(waveform, rate)
    parts = np.array_split(level, min(_COLUMNS, level.size))
    above = [max(0.0, float(part.max()) + _SHOWN_DB) for part in parts]
    print(f"level over time  {text.bars(above)}")
    print(f"peak  {quality.peak_dbfs:6.1f} dBFS")
    print(f"RMS   {quality.rms_dbfs:6.1f} dBFS")
    offset = round(100 * quality.offset, 2) + 0.0  # no -0.00
    print(f"mean  {offset:+6.2f} % of full scale")
    print(f"clipped samples  {quality.n_clipped}")
    said = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in quality.words_s)
    print(f"sound at  {said or 'nowhere'}")


def _print_heard(waveform: Waveform, rate: int, model: Recogniser) -> None:
    import numpy as np

    from spoken_digits.cli import text

    start, end = model.heard_part(waveform, rate)
    end = min(end, waveform.size / rate)
    features = model.features(waveform, rate)
    chances = model(waveform, rate)
    ranked = np.argsort(-chances, kind="stable")[:3]
    print(f"heard by the model  {start:.2f} to {end:.2f} s")
    print(
        f"features  {features.shape[0]} frames x {features.shape[1]} coefficients, "
        f"{features.min():g} to {features.max():g}"
    )
    print(
        "word  "
        + "  ".join(
            f"{text.shown(model.labels[i])} {text.percent(float(chances[i]))}" for i in ranked
        )
    )


def _folder(path: Path, pattern: str | None) -> None:
    from spoken_digits.inspection import corpus

    own = corpus.look(path, pattern)
    print(overview(own))
    _print_lengths(own)
    for line in [*own.notes, *corpus.gaps(own)]:
        print(f"note: {printable(line)}")
    for names in corpus.repeated(own)[:_MOST]:
        print(f"note: the same recording: {printable(', '.join(names))}")
    faults = corpus.faults(own)
    for name, problem in faults[:_MOST]:
        print(f"note: {printable(name)}: {problem}")
    if len(faults) > _MOST:
        print(f"note: and {len(faults) - _MOST} more such recordings")
    _print_mislabels(own)


def overview(own: OwnWords) -> str:
    """Counts by word and speaker, as text; of very many words those with fewest recordings."""
    from spoken_digits.cli import text
    from spoken_digits.corpora.listing import shorten

    counts = own.counts()
    totals = counts.sum(axis=1)
    speakers = own.speakers
    who = (
        f"{len(speakers)} speaker(s): {shorten(speakers, _MOST_SPEAKERS)}"
        if speakers
        else "unknown speakers"
    )
    columns = list(counts.columns) if 0 < len(speakers) <= _MOST_SPEAKERS else []
    rarest = set(totals.sort_values(kind="stable").index[:_MOST_WORDS])
    rows = [
        [str(word), *(str(counts.loc[word, c]) for c in columns), str(totals[word])]
        for word in counts.index
        if word in rarest
    ]
    if len(rarest) < len(counts):
        rows.append([f"({len(counts) - len(rarest)} with more)", *[""] * len(columns), ""])
    rows.append(["all", *(str(counts[c].sum()) for c in columns), str(totals.sum())])
    head = f"{len(own.manifest):,} recordings of {len(own.words)} words, {who}"
    return f"{printable(head)}\n{text.table(['word', *map(str, columns), 'all'], rows)}"


def _print_lengths(own: OwnWords) -> None:
    from spoken_digits.cli import text
    from spoken_digits.inspection.quality import histogram

    lengths = [quality.duration_s for quality in own.quality]
    counts, shortest, longest = histogram(lengths, _BINS)
    bars = text.bars([float(count) for count in counts])
    print(f"length  {shortest:.2f} s {bars} {longest:.2f} s")


def _print_mislabels(own: OwnWords) -> None:
    import pandas as pd

    from spoken_digits.cli import text
    from spoken_digits.inspection.corpus import likely_mislabels

    for file in sorted(EXPECTED.glob("*.csv")):
        found = likely_mislabels(own, pd.read_csv(file, dtype=str, keep_default_na=False))
        for name, label, heard in found[:_MOST]:
            print(
                f"likely mislabel: {printable(name)} is filed as {text.shown(label)}; {file.stem}, "
                f"which has not heard the speaker, hears {text.shown(heard)}: listen to it"
            )
        if len(found) > _MOST:
            print(f"and {len(found) - _MOST} more ({file})")
