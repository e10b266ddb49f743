"""What changed since another revision or experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from spoken_digits.errors import UserError
from spoken_digits.evaluation import comparison
from spoken_digits.evaluation.html_report.markup import Html, element, inline, paragraph, table
from spoken_digits.evaluation.html_report.record import SPEAKERS, Record
from spoken_digits.evaluation.predictions import Name, Tree, pair, read_runs
from spoken_digits.evaluation.report.markdown import code, percent

_METRICS = PurePosixPath("metrics")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure that is compared."""

    name: str
    path: tuple[str, ...]
    """File under metrics/ (``*`` for each row's own) and the key in it."""
    is_share: bool = False


_FIGURES = (
    Figure(name="voices never heard", path=("crossval.json", "*", "mean"), is_share=True),
    Figure(name="worst voice", path=("crossval.json", "*", "worst"), is_share=True),
    Figure(name="strangers", path=("strangers.json", "*", "accuracy"), is_share=True),
    Figure(name="several seeds, random split", path=("seeds.json", "*", "mean"), is_share=True),
    Figure(name="test accuracy", path=("*.json", "accuracy"), is_share=True),
    Figure(name="parameters", path=("*.json", "parameters")),
    Figure(name="size / KiB", path=("*.json", "size_kib")),
    Figure(name="multiply-accumulates", path=("*.json", "multiply_accumulates")),
    Figure(name="flash / B", path=("cortex_m/*.json", "recogniser_flash_bytes")),
    Figure(name="RAM / B", path=("cortex_m/*.json", "recogniser_ram_bytes")),
    Figure(name="instructions, Cortex-M0", path=("cortex_m/*.json", "recogniser_instructions_m0")),
)
_STUDIES = ("crossval.json", "strangers.json", "seeds.json")


def changes(record: Record, revision: str) -> list[Html]:
    """The section's content: verdicts on voices never heard, then every figure that differs.

    Raises
    ------
    UserError
        No such revision, or a damaged file in it.
    """
    here, there = Tree(record.root), Tree(record.root, revision)
    now, then = _read(here), _read(there)
    both = _names(now) & _names(then)
    rows = list(_rows(now, then, sorted(both)))
    corpora = {str(files.get("corpus.json", {}).get("corpus")) for files in (now, then)}
    made = [
        paragraph(
            f"These figures against those of {code(revision)}. A figure alone does not tell "
            "whether a difference is more than chance; the sentences do, by drawing speakers with "
            "replacement, where the predictions of both are recorded."
        )
    ]
    if len(corpora) > 1:
        made += [
            paragraph(
                "**The two are of different corpora: no figure here tells which is better.**",
                "warning",
            )
        ]
    verdicts = list(_verdicts(here, there, now, then, revision))
    if verdicts:
        made += [element("ul", [element("li", inline(verdict)) for verdict in verdicts])]
    for title, names in (("Only here", _names(now) - both), ("Only there", _names(then) - both)):
        if names:
            made += [paragraph(f"{title}: {', '.join(map(code, sorted(names)))}.")]
    if not rows:
        return [*made, paragraph(f"No figure differs from {code(revision)}.")]
    return [
        *made,
        table(
            f"Every figure that differs from {revision}",
            ["model", "figure", ">then", ">now", ">change"],
            rows,
        ),
    ]


def _read(tree: Tree) -> dict[str, Any]:
    """Content of every metrics file, by its path under metrics/."""
    found = {}
    for folder in (_METRICS, _METRICS / "cortex_m"):
        for name in tree.names(folder):
            if name.endswith(".json"):
                path = folder / name
                try:
                    found[str(path.relative_to(_METRICS))] = json.loads(tree.read(path))
                except ValueError as error:
                    where = f" in {tree.revision}" if tree.revision else ""
                    raise UserError(
                        f"{path}{where} is not valid JSON ({error}): name another revision"
                    ) from None
    return found


def _names(files: Mapping[str, Any]) -> set[str]:
    """Every row of the tables."""
    models = {
        path.removesuffix(".json")
        for path, content in files.items()
        if "/" not in path and isinstance(content, Mapping) and "accuracy" in content
    }
    studied = {name for study in _STUDIES for name in files.get(study, {})}
    return models | studied


def _rows(
    now: Mapping[str, Any], then: Mapping[str, Any], names: list[str]
) -> Iterator[tuple[str, ...]]:
    for name in names:
        for figure in _FIGURES:
            before, after = (_value(files, figure.path, name) for files in (then, now))
            if before == after:
                continue
            change = ""
            if before is not None and after is not None:
                change = (
                    f"{100 * (after - before):+.2f} points"
                    if figure.is_share
                    else f"{after - before:+,.6g}"
                )
            cells = (_written(value, figure) for value in (before, after))
            yield (code(name), figure.name, *cells, change)


def _value(files: Mapping[str, Any], path: tuple[str, ...], name: str) -> float | None:
    node: Any = files
    for key in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(key.replace("*", name))
    return node if isinstance(node, (int, float)) and not isinstance(node, bool) else None


def _written(value: float | None, figure: Figure) -> str:
    if value is None:
        return "none"
    return (
        percent(value) if figure.is_share else f"{value:,.6g}" if value < 1e5 else f"{value:,.0f}"
    )


def _verdicts(
    here: Tree, there: Tree, now: Mapping[str, Any], then: Mapping[str, Any], revision: str
) -> Iterator[str]:
    """One sentence for each model whose figures on voices never heard differ."""
    before, after = then.get("crossval.json", {}), now.get("crossval.json", {})
    recorded = all(tree.names(SPEAKERS) for tree in (here, there))
    for name in after:
        if not recorded or name not in before or _means(before[name]) == _means(after[name]):
            continue
        names = (f"{name} now", f"{name} at {revision}")
        try:
            ours, theirs = (read_runs(tree, SPEAKERS, Name(name)) for tree in (here, there))
            clips = pair(ours, theirs, names)
        except UserError as error:
            yield f"{code(name)}: {error}"
            continue
        found = comparison.bootstrap(comparison.by_speaker(clips))
        yield f"On voices never heard: {comparison.verdict_of_bootstrap(*names, found)}."


def _means(study: Mapping[str, Any]) -> dict[str, Any]:
    return {who: of.get("mean") for who, of in study.get("per_speaker", {}).items()}
