"""Tables of figures in pages that are otherwise written by hand, between their markers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.evaluation.report.markdown import code, percent, table
from spoken_digits.io.files import read_json

_BOARDS = ("m0", "m3", "m4")
_NETWORK = {
    **{f"instructions, {board.upper()}": f"instructions_{board}" for board in _BOARDS},
    "parameters": "parameter_bytes",
    "flash: code, weights, tables": "flash_bytes",
    "RAM of the network": "ram_bytes",
    "stack": "stack_bytes",
}
_RECOGNISER = {
    "RAM, all but the stack": "recogniser_ram_bytes",
    "stack": "stack_bytes",
    "flash: code and constants": "recogniser_flash_bytes",
    **{
        f"instructions per word, {board.upper()}": f"recogniser_instructions_{board}"
        for board in _BOARDS
    },
}
_FRONTEND = {
    **{
        f"instructions per frame, at most, {board.upper()}": f"frontend_instructions_{board}"
        for board in _BOARDS
    },
    "flash: code and tables": "frontend_flash_bytes",
    "RAM: state and scratch": "frontend_ram_bytes",
}
_COSTS: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "export": (("tiny.int8", "micro.int8", "lstm_36kb.int8"), _RECOGNISER),
    "integer_frontend": (("lstm_36kb.int8", "tiny.int8"), _FRONTEND),
    "integer_network": (("lstm_36kb.int8", "lstm_36kb.pow2"), _NETWORK),
    "integer_operators": (
        ("tiny.int8", "micro.int8"),
        {"multiplications by weights": "multiply_accumulates", **_NETWORK},
    ),
}
"""Networks (columns) and figures (rows) of the table `costs` in docs/<name>.md."""
_COUNTED_ON = "cortex-m0 gcc -O2"
_POINTS = {
    "no_threshold": "none",
    "at_1_percent": "at 1 %",
    "at_5_percent": "at 5 %",
    "at_10_percent": "at 10 %",
}


def replaced(page: str, name: str, body: str, path: Path) -> str:
    """The page with what stands between the markers of a name replaced.

    Raises
    ------
    UserError
        A marker is missing.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, has_begin, rest = page.partition(begin)
    _, has_end, after = rest.partition(end)
    if not (has_begin and has_end):
        raise UserError(f"{path} lacks its markers: put back the lines {begin} and {end}")
    return f"{before}{begin}\n{body}\n{end}{after}"


def sections(metrics: Path, predictions: Path) -> Iterator[tuple[str, str, str]]:
    """Page (its name in docs/ without ``.md``), name of the markers, and table.

    A table whose figures are not all recorded is left out: the page keeps the one it has.

    Parameters
    ----------
    metrics
        The folder metrics/.
    predictions
        Predictions on the random splits, studies/predictions/random/.
    """
    for page, (networks, rows) in _COSTS.items():
        measured = [metrics / "cortex_m" / f"{name}.json" for name in networks]
        if all(path.exists() for path in measured):
            figures = [_figures(metrics / path.name, path) for path in measured]
            yield page, "costs", _costs_table(networks, figures, rows)
    rejection = sorted((metrics / "rejection").glob("*.json"))
    if rejection:
        yield "rejection", "rejection", _rejection_table(rejection)
    for path in rejection:
        by_seed = _open_by_seed(path.stem, read_json(path, "dvc repro"), predictions)
        if by_seed:
            yield "rejection", f"{path.stem} by seed", by_seed


def _figures(*paths: Path) -> dict[str, Any]:
    return {key: value for path in paths for key, value in read_json(path, "dvc repro").items()}


def _costs_table(
    networks: Sequence[str], figures: Sequence[Mapping[str, Any]], rows: Mapping[str, str]
) -> str:
    clips = min(one["proof"][_COUNTED_ON]["clips"] for one in figures)
    cells = [
        [title, *(f"{one[key]:,}{' B' if key.endswith('_bytes') else ''}" for one in figures)]
        for title, key in rows.items()
        if all(key in one for one in figures)
    ]
    return f"Recorded by stage `measure` over {clips} test clips in QEMU, at `-O2`:\n\n" + table(
        ["", *(f">{code(name)}" for name in networks)], cells
    )


def _rejection_table(paths: Sequence[Path]) -> str:
    """Share of the words that are accepted and right, and of everything else that is accepted."""
    rows = []
    columns = ["model", "threshold", ">words"]
    for path in paths:
        for model, points in read_json(path, "dvc repro").items():
            for point, threshold in _POINTS.items():
                at = points[point]
                shares = [at["accuracy"], *(one["rate"] for one in at["false_accepts"].values())]
                rows.append([code(model), threshold, *(f"{100 * share:.1f} %" for share in shares)])
                columns[3:] = [f">{kind}" for kind in at["false_accepts"]]
    return table(columns, dict.fromkeys(map(tuple, rows)))


def _open_by_seed(name: str, models: Mapping[str, Any], predictions: Path) -> str:
    """Accuracy of an open model and of its variant on the test clips of every random split."""
    by_scheme = sorted(models, key=lambda model: model.partition(".")[2])
    schemes = {model: model.partition(".")[2] or "float32" for model in by_scheme}
    rows = []
    for path in sorted(predictions.glob(f"{name}-0-*.csv")):
        seed = path.stem.rpartition("-")[2]
        cells = []
        for model, scheme in schemes.items():
            said = pd.read_csv(predictions / f"{model.partition('.')[0]}-0-{seed}.csv", dtype=str)
            cells.append(percent((said[scheme] == said["actual"]).mean()))
        rows.append([seed, *cells])
    return table(["seed", *(f">{code(model)}" for model in schemes)], rows) if rows else ""
