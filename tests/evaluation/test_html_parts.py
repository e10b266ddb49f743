"""Parts of the page: markup, colours, sound, the map, places of names."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from small_record import SmallRecord

from spoken_digits import audio
from spoken_digits.evaluation.html_report import datamap, palette, sound, svg
from spoken_digits.evaluation.html_report.markup import element, from_markdown, inline
from spoken_digits.evaluation.html_report.record import read
from spoken_digits.evaluation.report import markdown

TEXT, GRAPHICS = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11


def test_contrast_is_that_of_the_standard():
    assert palette.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert palette.contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)
    assert palette.contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out(colours):
    for background, texts in palette.TEXT_ON.items():
        for text in texts:
            assert palette.contrast(colours[background], colours[text]) >= TEXT, (background, text)
    for i in range(palette.N_SERIES):
        assert palette.contrast(colours["paper"], colours[f"s{i}"]) >= GRAPHICS, i
    assert palette.LIGHT.keys() == palette.DARK.keys()


def test_text_is_escaped_and_markup_is_not():
    made = element("p", "<&\x00", element("b", 'a"'), [None, "c"], title='"<', hidden=True, id=None)
    assert made == '<p title="&quot;&lt;" hidden="hidden">&lt;&amp;\ufffd<b>a"</b>c</p>'


def test_inline_markdown_becomes_elements():
    text = "a `<b>` **strong `c`** *em* 2 * 3 * 4 [link](elsewhere.md)"
    assert inline(text) == (
        "a <code>&lt;b&gt;</code> <strong>strong <code>c</code></strong> <em>em</em> 2 * 3 * 4 link"
    )


def test_a_number_and_its_unit_stay_on_one_line():
    assert inline("5 % of 3 KiB, 2 samples") == "5\u00a0% of 3\u00a0KiB, 2 samples"


def test_a_table_of_the_shared_writers_keeps_its_cells_and_alignment():
    written = markdown.table(["model", ">size"], [["`a`", "1"], ["`b`", ""], ["c|d", 2]])
    assert r"| c\|d | 2 |" in written
    root = ElementTree.fromstring(from_markdown("what", written))
    cells = [["".join(c.itertext()) for c in row] for row in root.iter("tr")]
    assert cells == [["model", "size"], ["a", "1"], ["b", ""], ["c|d", "2"]]
    assert [c.get("class") for c in next(root.iter("tr"))] == [None, "n"]


def test_scales_reach_both_ends():
    linear = svg.Scale(low=0.5, high=1, start=10, stop=110)
    assert (linear(0.5), linear(0.75), linear(1)) == (10, 60, 110)
    log = svg.Scale(low=1, high=100, start=0, stop=100, is_log=True)
    assert log(10) == 50


def test_names_cover_neither_points_nor_each_other():
    labels, points = svg.Labels(300, 150), [(150, 75), (152, 75), (154, 77), (150, 79)]
    for x, y in points:
        labels.block(x, y, y + 5, y - 5)
    boxes = []
    for i, (x, y) in enumerate(points):
        made = labels.place(x, y, f"name{i}")
        found = re.search(r'x="([\d.]+)" y="([\d.]+)"( text-anchor="end")?', str(made))
        at, base, ends = float(found[1]), float(found[2]), found[3]
        left = at - 25 if ends else at
        boxes.append((left, base - 8, left + 25, base))  # five letters of eight by five
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert not any(left < x < right and top < y < bottom for x, y in points)
        for other in boxes[:i]:
            apart = right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
            assert apart, (boxes[i], other)
    assert svg.Labels(20, 100).place(10, 50, "too long for this") is None


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return read(SmallRecord(tmp_path_factory.mktemp("record")).root, studies=True)


def test_the_worst_mistakes_are_those_of_most_runs(record):
    found = sound.worst(record, "small")
    # bo's first three clips: wrong in the float network, right in the integer one.
    assert [m.utterance for m in found] == ["0_no_bo_0", "0_no_bo_1", "0_no_bo_2"]
    assert [(m.actual, m.predicted, m.speaker) for m in found] == [("no", "stop", "bo")] * 3
    assert [(m.n_wrong, m.n_runs, m.is_suspect) for m in found] == [(1, 2, False)] * 3
    assert sound.one_of_each(found) == found[:1]
    assert sound.worst(record, "small.int8") == []


def test_players_hold_the_clip_and_mark_what_is_not_heard(record):
    found = sound.worst(record, "small")[:2]
    long, short = map(str, sound.players(record, found, "log_mel"))
    data = re.search(r"base64,([^\"]+)", long).group(1)
    wave, _ = audio.decode(base64.b64decode(data), "player.wav")
    assert len(wave) == 7200  # 0.9 s, not cut
    assert np.abs(wave).max() == pytest.approx(0.7, abs=1e-3)
    shaded = sum(float(w) for w in re.findall(r'<rect[^>]+width="([\d.]+)"', long))
    assert shaded == pytest.approx(280 * (1 - 0.6875 / 0.9), abs=0.5)
    assert "unheard" not in short
    assert "the model hears all of it" in short


def test_without_recordings_there_are_no_players(record, tmp_path):
    found = sound.worst(record, "small")
    (record.raw / "audio.zip").rename(tmp_path / "away.zip")
    try:
        assert list(sound.players(record, found, "log_mel")) == [None] * 3
    finally:
        (tmp_path / "away.zip").rename(record.raw / "audio.zip")


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Four words that differ in two of ten values, beneath larger differences of no meaning."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 50)
    x = rng.normal(0, 1, (200, 10)) * np.array([1, 1, *[20.0] * 8])
    x[:, 0] += 8 * (labels % 2)
    x[:, 1] += 8 * (labels // 2)
    return x, labels


def test_the_map_separates_words_by_what_train_clips_say():
    x, labels = clusters()
    train = np.arange(200) % 2 == 0
    points, share = datamap.discriminants(x, labels, train)
    centres = np.array([points[train & (labels == word)].mean(axis=0) for word in range(4)])
    nearest = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == labels)[~train].mean() > 0.95
    assert 0.9 < share <= 1
    # Labels of the other clips play no part.
    other = np.where(train, labels, 0)
    assert np.array_equal(datamap.discriminants(x, other, train)[0], points)


def test_the_map_does_not_depend_on_the_order_of_clips():
    x, labels = clusters()
    order = np.random.default_rng(1).permutation(200)
    everything = np.ones(200, bool)
    points, _ = datamap.discriminants(x, labels, everything)
    shuffled, _ = datamap.discriminants(x[order], labels[order], everything)
    assert np.allclose(shuffled, points[order])


def test_every_clip_is_on_the_map_once_and_mistakes_are_crossed_out(record):
    found = datamap.locate(record.root / "data/features", record.manifest, "log_mel")
    assert found is not None
    assert found.n_fitted == 12
    drawn = datamap.draw(found, ["no", "stop", "yes"], {"0_no_bo_0"})
    assert drawn.count("h0") == len(record.manifest)
    assert re.findall(r'class="(wrong [^"]+)"', drawn) == ["wrong w0 p1"]
    rules = datamap.rules(3, 2)
    assert rules.count(":checked") == 5
    assert datamap.locate(record.root / "data/features", record.manifest, "mfcc") is None


def test_a_word_of_which_no_clip_is_drawn_has_no_name_on_the_map(record):
    found = datamap.locate(record.root / "data/features", record.manifest, "log_mel")
    assert found is not None
    drawn = datamap.draw(found, ["no", "rare", "stop", "yes"], set())
    assert re.findall(r'class="centre"[^>]*>(\w+)<', drawn) == ["no", "stop", "yes"]
