"""`spoken-digits compare`: two models on the same clips."""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from spoken_digits.errors import UserError

if TYPE_CHECKING:
    from spoken_digits.evaluation.predictions import Name, Tree

HELP = "say whether model A or B is better on the same clips"
EXAMPLES = (
    "spoken-digits compare tiny lstm_36kb",
    "spoken-digits compare tiny lstm_36kb --predictions studies/predictions/speaker",
    "spoken-digits compare lstm lstm@main        # against another revision or experiment",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The models, and what they are compared on."""
    parser.add_argument(
        "a",
        metavar="A",
        help="a name as in metrics/, such as lstm or lstm_36kb.int8; lstm@main is read from a Git "
        "revision or DVC experiment",
    )
    parser.add_argument("b", metavar="B", help="the other model")
    parser.add_argument(
        "--predictions",
        metavar="FOLDER",
        help="predictions of folds and seeds, such as studies/predictions/speaker; "
        "default: the test clips of the recorded split",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print both accuracies and the verdict."""
    from spoken_digits.evaluation.predictions import Name, Tree

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
    from spoken_digits.evaluation import comparison, predictions

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
    from spoken_digits.evaluation import comparison, predictions

    both = [*zip(trees, (a, b), strict=True)]
    tables = [predictions.read_runs(tree, folder, name) for tree, name in both]
    if {*tables[0]["utterance"]} != {*tables[1]["utterance"]}:
        # Where seeds draw the split, each tests other clips: those that both have will do.
        seeds = [predictions.seeds_of(tree, folder, name) for tree, name in both]
        shared = seeds[0] & seeds[1]
        if shared and seeds[0] != seeds[1]:
            tables = [predictions.read_runs(tree, folder, name, shared) for tree, name in both]
            print(f"runs of the seeds that both have: {', '.join(sorted(shared, key=int))}")
    clips = predictions.pair(tables[0], tables[1], (a.text, b.text))
    speakers = comparison.by_speaker(clips)
    print(f"{len(clips):,} clips of {len(speakers)} speakers in {folder}")
    shown = speakers.assign(
        **{column: (100 * speakers[column]).round(1) for column in ("a", "b", "difference")}
    ).rename(columns={"a": a.text, "b": b.text})
    print(shown.reset_index().to_string(index=False, justify="right"))
    print(comparison.verdict_of_bootstrap(a.text, b.text, comparison.bootstrap(speakers)))
