"""`spoken-digits run`: the pipeline, on the corpus of params.yaml or on own words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spoken_digits.cli.arguments import named_path
from spoken_digits.errors import UserError, printable

if TYPE_CHECKING:
    from spoken_digits.config import Config
    from spoken_digits.inspection.corpus import OwnWords

HELP = "train, quantize and evaluate, on the corpus of params.yaml or on words of your own"
EXAMPLES = (
    "spoken-digits run --words my-words --model tiny",
    "spoken-digits run --words my-words --model tiny --dry-run     # only print what would be done",
    "spoken-digits run --say yes no stop --model tiny   # any English words, no recordings",
    "spoken-digits run --model micro             # one model on the corpus of params.yaml",
    "spoken-digits run                           # everything: `dvc repro`, one stage per core",
)
PARAMS = Path("params.yaml")
METRICS = Path("metrics")
MOST_JOBS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The recordings and the models."""
    words = parser.add_mutually_exclusive_group()
    words.add_argument(
        "--words",
        type=named_path,
        metavar="FOLDER",
        help="your recordings: a folder for each word, files named <speaker>_<take>",
    )
    words.add_argument(
        "--say",
        nargs="+",
        metavar="WORD",
        help="English words, spoken by synthesised voices instead of people",
    )
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a name under `variants` in params.yaml; may be repeated; default: all",
    )
    parser.add_argument(
        "--pattern",
        metavar="REGEX",
        help="regular expression for file names, with groups label, speaker and take",
    )
    pipeline = parser.add_mutually_exclusive_group()
    pipeline.add_argument(
        "--studies",
        dest="pipeline",
        action="store_const",
        const="studies/dvc.yaml",
        help="train the studied models with several seeds and on unseen speakers: hours",
    )
    pipeline.add_argument(
        "--ablation",
        dest="pipeline",
        action="store_const",
        const="studies/ablation/dvc.yaml",
        help="train one model without each step of its augmentation: hours",
    )
    parser.add_argument("--dry-run", action="store_true", help="only print what would be done")
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="number of stages to run at a time; default: one per core, at most 4",
    )
    parser.add_argument(
        "--no-expect",
        action="store_true",
        help="own words: skip training without each speaker in turn, which takes most of the time",
    )


def run(arguments: argparse.Namespace) -> None:
    """Say what will be done, do it, print the result."""
    from spoken_digits.cli import networks, places
    from spoken_digits.config import read_config

    places.checkout()
    if arguments.jobs is not None and not 1 <= arguments.jobs <= MOST_JOBS:
        raise UserError(f"--jobs is {arguments.jobs}, must be 1 to {MOST_JOBS}")
    if arguments.pipeline and (arguments.words or arguments.say or arguments.model):
        raise UserError(
            "--studies and --ablation are of the models under `studies`: leave out --words, --say "
            "and --model"
        )
    config = read_config(PARAMS)
    for model in arguments.model or ():
        networks.check_model(config, model)
    if arguments.words is None:
        if arguments.pattern is not None or arguments.no_expect:
            raise UserError("--pattern and --no-expect are of own words: name them with --words")
        if arguments.say:
            _synthesised_words(config, arguments)
        else:
            _pipeline(config, arguments)
        return
    _own_words(config, arguments)


def _pipeline(config: Config, arguments: argparse.Namespace) -> None:
    """What `dvc repro` would do, for all models or some."""
    from spoken_digits.cli import places

    stages = [stage for model in arguments.model or () for stage in stages_of(config, model)]
    if arguments.dry_run:
        _say_what_runs(stages, arguments)
        return
    print(f"dvc repro {arguments.pipeline or ' '.join(stages)}".rstrip())
    with places.alone():
        _repro(stages, arguments)


def _say_what_runs(stages: list[str], arguments: argparse.Namespace) -> None:
    from spoken_digits.cli import jobs

    todo = jobs.todo(stages, pipeline=arguments.pipeline or jobs.PIPELINE)
    for stage in todo:
        print(stage)
    print(f"{len(todo)} stages to run, but for those whose results lie in DVC's cache")


def _repro(stages: list[str], arguments: argparse.Namespace) -> None:
    from spoken_digits.cli import jobs

    at_a_time = arguments.jobs or jobs.at_a_time()
    jobs.repro(stages, at_a_time, pipeline=arguments.pipeline or jobs.PIPELINE)


def stages_of(config: Config, model: str) -> list[str]:
    """The stages that finish one model and its integer networks."""
    from spoken_digits.cli.networks import networks_of

    return [f"evaluate@{model}", *(f"quantize@{key}" for key in networks_of(config, model))]


def _own_words(config: Config, arguments: argparse.Namespace) -> None:
    from spoken_digits.cli import places
    from spoken_digits.cli.inspect import overview
    from spoken_digits.errors import warn
    from spoken_digits.inspection import corpus
    from spoken_digits.models.params import names

    own = corpus.look(arguments.words.absolute(), arguments.pattern)
    models = arguments.model or names(config)
    print(overview(own))
    for line in [*own.notes, *corpus.gaps(own), *_frame_budget(config, own, models)]:
        warn(printable(line))
    for warning in _split_warnings(config, own):
        warn(printable(warning))
    alone = corpus.said_by_one(own) if len(own.speakers) > 1 else []
    if alone:
        warn(
            f"one speaker alone says {printable(', '.join(alone[:8]))}, so nobody can be left out "
            "to tell what other voices can expect: have another record it"
        )
    expects = len(own.speakers) > 1 and not alone and not arguments.no_expect
    stages = [stage for model in models for stage in stages_of(config, model)]
    for step in _steps(own, stages, expects):
        print(step)
    if arguments.dry_run:
        return
    with places.alone():
        set_own_words(own)
        _repro(stages, arguments)
        for model in models if expects else ():
            places.stage("expect", model)
        _print_result(models)


def _frame_budget(config: Config, own: OwnWords, models: list[str]) -> Iterator[str]:
    """Whether the models hear the recordings whole, once for each kind of features."""
    from spoken_digits.features.lengths import warning_of_cut_clips
    from spoken_digits.features.registry import make_extractor

    kinds = dict.fromkeys(config.value(f"variants.{model}.features", str) for model in models)
    for kind in kinds:
        if warning := warning_of_cut_clips(make_extractor(kind, config), own.manifest):
            yield f"{warning}; of longer recordings the part with the most energy counts"


def _split_warnings(config: Config, own: OwnWords) -> list[str]:
    """What the split of the recordings does not allow to say; raises UserError if it fails."""
    from spoken_digits.data import balance, splits

    params = splits.read_params(config, "folder")
    subsets = splits.assign(own.manifest, params, config.value("seed", int))
    return balance.warnings(balance.count(own.manifest, subsets), params)


def _steps(own: OwnWords, stages: list[str], expects: bool) -> Iterator[str]:
    yield f"params.yaml: corpus.name becomes folder, corpus.path {printable(str(own.path))}"
    yield f"dvc repro {' '.join(stages)}"
    if expects:
        n = len(own.speakers)
        yield f"each of {n} speakers left out in turn, to tell what other voices can expect"
    elif not own.speakers:
        yield "nothing will be known of other voices: the names do not say who speaks"
    elif len(own.speakers) == 1:
        yield "nothing will be known of other voices: there is one speaker"


def _synthesised_words(config: Config, arguments: argparse.Namespace) -> None:
    """Words that nobody has recorded."""
    import dataclasses

    from spoken_digits import validation
    from spoken_digits.cli import places
    from spoken_digits.corpora import CorpusParams, SpokenCorpusParams, reachable
    from spoken_digits.models.params import names
    from spoken_digits.synthesis.kokoro import NOT_IN_REACH
    from spoken_digits.synthesis.phonemes import check_word

    for word in arguments.say:
        check_word(word)
    params = config.section("corpus", CorpusParams)
    values = {**dataclasses.asdict(params.spoken), "words": arguments.say}
    said = validation.build(SpokenCorpusParams, values, "", "--say")
    if not reachable(dataclasses.replace(params, name="spoken"), Path()):
        raise UserError(NOT_IN_REACH)
    models = arguments.model or names(config)
    stages = [stage for model in models for stage in stages_of(config, model)]
    print(f"params.yaml: corpus.name becomes spoken, corpus.spoken.words {', '.join(said.words)}")
    print(f"dvc repro {' '.join(stages)}")
    print("every voice is synthesised: no figure will say how well people are understood")
    if arguments.dry_run:
        return
    with places.alone():
        set_corpus({"name": "spoken", "spoken": values, "limit": None})
        _repro(stages, arguments)
        _print_result(models)


def set_own_words(own: OwnWords) -> None:
    """Name the recordings in params.yaml."""
    set_corpus(
        {"name": "folder", "path": str(own.path), "label_pattern": own.pattern, "limit": None}
    )


def set_corpus(wanted: dict[str, Any]) -> None:
    """Change section `corpus` of params.yaml, as `dvc exp run -S` does: other lines stay."""
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(str(PARAMS)) as content:
        for key, value in wanted.items():
            if content["corpus"][key] != value:
                content["corpus"][key] = value


def _print_result(models: list[str]) -> None:
    from spoken_digits.cli import text
    from spoken_digits.evaluation.report import own
    from spoken_digits.evaluation.report.tables import study_name

    results = own.own_results(models, Path())
    rows = []
    for row in results.rows:
        unseen = results.crossval.get(study_name(row))
        rows.append(
            [
                study_name(row),
                f"{row['size_kib']:,.1f} KiB",
                text.percent(unseen["mean"]) if unseen else "not known",
                f"{text.percent(unseen['worst'])} {unseen['worst_speaker']}" if unseen else "",
                text.percent(row["accuracy"]),
            ]
        )
    same = "synthetic voices" if results.corpus["synthetic"] else "same voices"
    print(text.table(["model", "size", "new voices", "worst", same], rows))
    print(own.plain(own.verdict(results)))
    model = models[0]
    print(
        f"next: spoken-digits report; spoken-digits predict {model} FILE; "
        f"spoken-digits export {model}"
    )
