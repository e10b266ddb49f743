"""Compare two models on the same clips.

Run     python -m spoken_digits.compare A B
        python -m spoken_digits.compare A B --predictions studies/predictions/speaker

A and B are names as in metrics/, such as lstm or lstm_36kb.int8; with @ and a revision of Git or
the name of a DVC experiment they are read from there: lstm@main.
"""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath

from spoken_digits import errors
from spoken_digits.errors import UserError
from spoken_digits.evaluation import comparison, predictions
from spoken_digits.evaluation.predictions import Name, Tree


def main() -> None:
    arguments = _parse_arguments()
    a, b = Name(arguments.a), Name(arguments.b)
    if a == b:
        raise UserError(f"{a.text} is given twice: name two models, or one @ two revisions")
    root = Path.cwd()
    trees = Tree(root, a.revision), Tree(root, b.revision)
    if arguments.predictions is None:
        _compare_recorded(trees, a, b)
    else:
        _compare_runs(trees, a, b, PurePosixPath(arguments.predictions))


def _compare_recorded(trees: tuple[Tree, Tree], a: Name, b: Name) -> None:
    found = [
        predictions.read_recorded(tree, name) for tree, name in zip(trees, (a, b), strict=True)
    ]
    predictions.check_same_clips(found[0], found[1], (a.text, b.text))
    right = [(table["actual"] == table["predicted"]).to_numpy() for table, _ in found]
    print(f"{len(right[0]):,} test clips of the recorded split")
    for name, flags in zip((a, b), right, strict=True):
        print(f"{name.text}: {100 * flags.mean():.2f} %")
    result = comparison.mcnemar(right[0], right[1])
    print(comparison.verdict_of_mcnemar(a.text, b.text, result))


def _compare_runs(trees: tuple[Tree, Tree], a: Name, b: Name, folder: PurePosixPath) -> None:
    tables = [
        predictions.read_runs(tree, folder, name) for tree, name in zip(trees, (a, b), strict=True)
    ]
    clips = predictions.pair(tables[0], tables[1], (a.text, b.text))
    speakers = comparison.by_speaker(clips)
    print(f"{len(clips):,} clips of {len(speakers)} speakers in {folder}")
    shown = speakers.assign(
        **{column: (100 * speakers[column]).round(1) for column in ("a", "b", "difference")}
    ).rename(columns={"a": a.text, "b": b.text})
    print(shown.reset_index().to_string(index=False, justify="right"))
    print(comparison.verdict_of_bootstrap(a.text, b.text, comparison.bootstrap(speakers)))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m spoken_digits.compare",
        description="Whether model A or B is better on the same clips.",
    )
    parser.add_argument("a", metavar="A", help="lstm, lstm_36kb.int8, lstm@REVISION")
    parser.add_argument("b", metavar="B", help="the other one")
    parser.add_argument(
        "--predictions",
        metavar="FOLDER",
        help="predictions of folds and seeds, such as studies/predictions/speaker; "
        "without it: the test clips of the recorded split",
    )
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
