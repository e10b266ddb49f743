"""The tour for students: its script runs, and its page is what the script prints."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from typing import Any

import pytest
from recordings import REPOSITORY

from spoken_digits.errors import UserError

FOLDER = REPOSITORY / "docs/tour"
PAGE = (FOLDER / "README.md").read_text()
LARGEST_PICTURE_BYTES = 60_000
DIGITS = "zero|one|two|three|four|five|six|seven|eight|nine"


@pytest.fixture(scope="module")
def tour() -> Any:
    """The module docs/make_tour.py."""
    spec = importlib.util.spec_from_file_location("make_tour", REPOSITORY / "docs/make_tour.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_tour"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def material() -> Any:
    """The module that the tour gets its recording and models from."""
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module("material")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def shown(tour, fsdd_archive) -> list[Any]:
    """Every cell with what it prints and draws."""
    return list(tour.run(tour.SCRIPT.read_text()))


def shape(text: str) -> str:
    """Text without what depends on the weights: figures, words heard, widths of columns."""
    return re.sub(r" +", " ", re.sub(rf" *[-+]?\d[\d.,]*| *\b({DIGITS})\b", " #", text))


def test_the_page_is_that_of_the_script(tour):
    cells = tour.cells(tour.SCRIPT.read_text())
    code = re.findall(r"^```python\n(.*?)\n```$", PAGE, re.M | re.S)
    assert code == [cell.source for cell in cells if cell.is_code], "run `make tour`"
    title, *prose = (cell.source for cell in cells if not cell.is_code)
    assert PAGE.startswith(title.splitlines()[0] + "\n")
    assert all(text in PAGE for text in prose), "run `make tour`"


@pytest.mark.corpus
def test_the_page_tells_what_the_script_prints(tour, material, shown):
    printed = [one for one in shown if one.printed]
    told = re.findall(r"^```text\n(.*?)\n```$", PAGE, re.M | re.S)
    assert len(told) == len(printed) > 12
    for text, one in zip(told, printed, strict=True):
        if one.cell.needs_trained and not material.are_trained():
            assert shape(text) == shape(one.printed), "run `make tour`"
        else:
            assert text == one.printed, "run `make tour`"
    proven = [line for text in told for line in text.splitlines() if "in the library" in line]
    assert proven == ["as in the library: True"] * 2


@pytest.mark.corpus
def test_the_pictures_of_the_page_are_those_that_the_script_draws(shown):
    drawn = {name for one in shown for name in one.pictures}
    assert drawn == {path.stem for path in FOLDER.glob("*.png")}
    assert drawn == set(re.findall(r"^!\[\w+\]\((\w+)\.png\)$", PAGE, re.M))
    assert 4 <= len(drawn) <= 7
    assert max(path.stat().st_size for path in FOLDER.glob("*.png")) < LARGEST_PICTURE_BYTES


def test_the_costs_on_the_page_are_the_committed_metrics():
    integers, floats = (
        json.loads((REPOSITORY / f"metrics/{name}.json").read_text())
        for name in ("tiny.int8", "tiny")
    )
    said = rf"{integers['parameter_bytes']:,} bytes +{floats['multiply_accumulates']:,} multipl"
    assert re.search(rf"^together +{said}", PAGE, re.M), "run `make tour`"


def test_the_word_on_the_page_is_the_one_that_was_said():
    assert '"7_jackson_0"' in PAGE
    assert re.search(r"^```text\nseven +logit +[\d.]+ +\d\d\.\d %$", PAGE, re.M)
    assert "\nin integers seven, logit " in PAGE


def test_without_a_trained_network_no_page_is_made(tour, material, monkeypatch):
    monkeypatch.setattr(material, "are_trained", lambda: False)
    with pytest.raises(UserError, match="`dvc repro quantize@tiny-int8`"):
        tour.main()


def test_a_network_of_other_words_is_not_taken_for_that_of_digits(material, monkeypatch, tmp_path):
    for name in ("FLOAT", "INTEGERS"):
        monkeypatch.setattr(material, name, tmp_path / "tiny.safetensors")
    assert not material.are_trained()
    (tmp_path / "tiny.safetensors").touch()
    card = type("Card", (), {"labels": ["yes", "no"]})
    monkeypatch.setattr(material, "read_card", lambda path: card)
    assert not material.are_trained()
    card.labels = material.DIGITS
    assert material.are_trained()
