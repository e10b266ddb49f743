"""The page is whole, safe and readable, and says what is recorded and what is not."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from recordings import REPOSITORY
from small_record import CORPUS, SmallRecord

from spoken_digits.errors import UserError
from spoken_digits.evaluation.html_report import verdict
from spoken_digits.evaluation.html_report.command import main
from spoken_digits.evaluation.html_report.otherwise import anything_else
from spoken_digits.evaluation.html_report.page import page
from spoken_digits.evaluation.html_report.record import read
from spoken_digits.verification import hashes

MOST_BYTES = 6 * 2**20
OPENS_WITHIN_S = 2.0
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def recorded() -> str:
    """The page about the committed figures."""
    return page(read(REPOSITORY, studies=True))


@pytest.fixture(scope="module")
def small_root(tmp_path_factory) -> Path:
    """A small checkout that no test changes."""
    return SmallRecord(tmp_path_factory.mktemp("small")).root


@pytest.fixture(scope="module")
def small(small_root) -> str:
    """The page about it."""
    return page(read(small_root, studies=True))


@pytest.fixture
def changeable(small_root, tmp_path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(small_root, tmp_path / "checkout"))


def parse(text: str) -> ElementTree.Element:
    start = "<!doctype html>\n"
    assert text.startswith(start)
    return ElementTree.fromstring(text.removeprefix(start))


def written(root: ElementTree.Element) -> str:
    """What a reader reads, spaces made even."""
    return " ".join("".join(root.itertext()).split())


def check_structure(text: str) -> None:
    root = parse(text)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    links = [e.get("href") for e in root.iter("a")]
    assert len(links) > 5
    assert {link for link in links if link.removeprefix("#") not in ids} == set()
    levels = [int(e.tag[1]) for e in root.iter() if re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert root.get("lang") == "en"
    for table in root.iter("table"):
        assert table[0].tag == "caption"
        assert written(table[0])
        assert all(e.get("scope") in ("col", "row") for e in table.iter("th"))
    for box in (e for e in root.iter("div") if e.get("class") == "scroll"):
        assert box.get("tabindex") == "0"  # arrow keys scroll it
    images = [e for e in root.iter("svg") if e.get("aria-hidden") is None]
    assert all(e.get("role") == "img" and e.get("aria-label") for e in images)
    assert all(e.get("aria-label") for e in root.iter("audio"))
    for field in root.iter("fieldset"):
        assert field[0].tag == "legend"
    for label in root.iter("label"):
        assert label.find("input") is not None


def check_offline(text: str) -> None:
    root = parse(text)
    assert not [
        e.tag for e in root.iter() if e.tag in ("script", "link", "iframe", "img", "object")
    ]
    for e in root.iter():
        assert not [name for name in e.attrib if name.startswith("on") or name == "style"]
        assert e.get("src", "data:").startswith("data:audio/wav;base64,") or e.get("src") is None
    style = "".join(e.text or "" for e in root.iter("style"))
    assert "url(" not in style
    assert "@import" not in style
    policy = next(e.get("content", "") for e in root.iter("meta") if e.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy  # falls to default-src
    assert "unsafe" not in policy


@pytest.mark.parametrize("which", ["recorded", "small"])
def test_the_page_is_well_formed_and_loads_nothing(which, request):
    text = request.getfixturevalue(which)
    check_structure(text)
    check_offline(text)
    assert len(text.encode()) <= MOST_BYTES


def test_the_page_names_every_recorded_model(recorded):
    shown = {e.text for e in parse(recorded).iter("code")}
    expected = {p.stem for p in (REPOSITORY / "plots/size_accuracy").glob("*.csv")}
    assert len(expected) > 10
    assert expected <= shown


def test_the_table_of_all_models_has_strangers_and_published_figures_too(recorded):
    table = recorded.partition('id="models"')[2].partition("</table>")[0]
    for column in ("strangers", "reference"):
        assert f"{column}</th>" in table


def test_the_verdict_says_for_whom_and_for_whom_not(small_root, small):
    results = read(small_root, studies=True).results
    # int8 is right everywhere, so it is both the best and the smallest.
    assert verdict.best(results) == verdict.smallest(results) == "small.int8"
    rows = {row[0]: row[2:] for row in verdict.for_whom(results)}
    assert rows["`small`"] == ("ann\u00a0100.0", "nobody", "bo\u00a075.0")
    assert rows["`small.int8`"] == ("ann\u00a0100.0, bo\u00a0100.0", "nobody", "nobody")
    text = written(parse(small))
    assert "small.int8 recognises 100.00 % of the words" in text
    assert "small.int8 works for 2 of 2 voices (ann, bo)." in text
    assert "answer every clip with one of their 3 words" in text
    assert verdict.costly(results, "small") == "babble at 10 dB (80.0 %)"


def test_groups_are_closed_at_their_lower_ends():
    at = {"a": verdict.WORKS, "b": verdict.FAILS, "c": verdict.FAILS - 1e-9, "d": 1.0}
    assert verdict.groups(at) == (["d", "a"], ["b"], ["c"])


def test_the_smallest_near_the_best_is_named(changeable):
    results = read(changeable, studies=True).results
    for row in results.rows:
        row["size_kib"] = 1.0 if row["scheme"] == "float32" else 4.0
    bounds = {0.985: "small", 0.975: "small.int8"}
    for mean, expected in bounds.items():
        results.crossval["small"]["mean"] = mean
        results.crossval["small.int8"]["mean"] = 1.0
        assert verdict.smallest(results) == expected


def test_what_is_not_recorded_is_named_with_the_command_that_makes_it(changeable):
    for name in ("studies", "models", "data", "plots", "metrics/cortex_m", "docs"):
        shutil.rmtree(changeable / name)
    for name in ("crossval", "strangers", "seeds"):
        (changeable / "metrics" / f"{name}.json").unlink()
    record = read(changeable, studies=True)
    text = page(record)
    check_structure(text)
    whole = written(parse(text))
    assert {gap.command for gap in record.missing} >= {"make crossval", "dvc repro", "make record"}
    for gap in record.missing:
        assert f"{gap.what}: {gap.command}" in whole
    assert "Nothing on this page tells how it does on voices never heard." in whole
    assert "small recognises 83.33 % of the test clips" in whole
    assert "dvc checkout download" in whole


def test_nothing_is_missing_where_everything_is_recorded(small_root):
    assert read(small_root, studies=True).missing == []


def test_the_pipelines_own_page_depends_on_nothing_else(changeable):
    before = page(read(changeable, studies=False))
    for name in ("studies", "docs"):
        shutil.rmtree(changeable / name)
    for name in ("crossval", "strangers", "seeds"):
        (changeable / "metrics" / f"{name}.json").write_text("{}")
    assert page(read(changeable, studies=False)) == before
    assert "Words of the House" in before


def test_synthetic_speech_is_labelled_on_every_figure(tmp_path):
    root = parse(page(read(SmallRecord(tmp_path, synthetic=True).root, studies=True)))
    assert "Synthetic speech." in written(root)
    captions = [written(e) for e in root.iter("figcaption")]
    assert len(captions) >= 5
    assert all("synthetic speech" in caption for caption in captions)


def test_corpora_that_are_mixed_give_no_verdict(changeable):
    path = changeable / "metrics" / "small.json"
    path.write_text(path.read_text().replace("words 2", "elsewhere 1"))
    text = written(parse(page(read(changeable, studies=True))))
    assert "No verdict: the recorded figures are of different corpora." in text
    assert "recognises" not in text.partition("All models")[2].partition("Voices never heard")[0]


def test_words_of_any_script_and_with_markup_are_text(tmp_path):
    words = ("<b>no</b>", "a & 'b'", "כן")
    text = page(read(SmallRecord(tmp_path, words=words).root, studies=True))
    check_structure(text)
    check_offline(text)
    assert all(word in written(parse(text)) for word in words)


def test_other_sounds_are_shown_where_they_were_measured(tmp_path, small):
    assert not {"rejection", "listening"} & {e.get("id") for e in parse(small).iter()}
    record = SmallRecord(tmp_path)
    record.write_other_sounds()
    text = page(read(tmp_path, studies=True))
    check_structure(text)
    root = parse(text)
    rows = {tuple(written(cell) for cell in row) for row in root.iter("tr")}
    assert ("small", "none", "0.000", "90.00", "100.0") in rows
    assert ("small", "5 %", "0.700", "80.00", "12.5") in rows
    assert [row[1] for row in rows if row[0] == "small" and len(row) == 5].count("none") == 1
    assert ("words", "50", "93.75 %", "6.25 %") in rows
    assert ("noise", "2.0", "3", "1.50", "0.31 to 4.38") in rows
    assert "Voices never heard: the same with models" not in written(root)
    unseen = {"words": {"hit_rate": 0.75, "worst": 0.5, "worst_speakers": "ann"}}
    record.json("metrics/detector_unseen.json", {"small.int8": {**unseen, "corpus": "words 1"}})
    root = parse(page(read(tmp_path, studies=True)))
    rows = {tuple(written(cell) for cell in row) for row in root.iter("tr")}
    assert ("words", "50", "93.75 %", "6.25 %", "75.00 %", "50.00 % ann") in rows
    assert "Voices never heard: the same with models" in written(root)
    assert "Voices never heard: the same" not in written(parse(page(read(tmp_path, studies=False))))
    assert ("phrases", "70", "9.5", "11") in rows
    said = written(root)
    assert "At its threshold for 5 %, small keeps 80.00 % of its own words" in said
    assert "answers 12.50 % of noise" in said
    assert "small.int8: threshold 0.625, answers 321 ms after a word" in said
    # A model in the files of two open variants is one line.
    curves = [e.get("d", "") for e in root.iter("path") if e.get("class") == "series k0"]
    assert [path.count("L") for path in curves] == [2]


def test_the_record_says_at_which_threshold_other_sounds_pass():
    said = anything_else(read(REPOSITORY, studies=True))
    assert re.search(r"At its threshold for 5 %, `\w+` keeps \d\d\.\d\d % of its own words", said)
    assert re.search(r"answers \d+\.\d\d % of noise, .* % of other words", said)


def of_own_words(root: Path) -> None:
    """The record becomes one of a folder of own words; its studies are of other recordings."""
    for path in (root / "metrics").rglob("*.json"):
        if path.name not in ("crossval.json", "strangers.json"):
            path.write_text(path.read_text().replace(CORPUS, "folder"))
    path = root / "metrics/corpus.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"corpus": "folder", "version": ""}))


def test_own_words_are_not_judged_by_other_recordings(changeable):
    of_own_words(changeable)
    path = changeable / "metrics/small.int8.json"
    row = json.loads(path.read_text())
    path.write_text(json.dumps(row | {"corpus": "fsdd 1.0.10", "accuracy": 0.123}))
    # Another model of params.yaml was run on the digits alone.
    params = yaml.safe_load((changeable / "params.yaml").read_text())
    params["variants"]["other"] = json.loads(json.dumps(params["variants"]["small"]))
    (changeable / "params.yaml").write_text(yaml.safe_dump(params))
    (changeable / "metrics/other.json").write_text(json.dumps(row | {"corpus": "fsdd 1.0.10"}))
    for folder in ("confusion", "curves"):
        picture = changeable / f"plots/{folder}/small.csv"
        shutil.copy(picture, picture.with_name("other.csv"))
    record = read(changeable, studies=True)
    assert [*record.tested] == [*record.curves] == ["small"]
    text = page(record)
    assert "different corpora" not in text
    assert "12.30" not in text
    assert "Nothing on this page tells how it does on voices never heard." in text
    missing = [part.command for part in record.missing]
    assert missing == ["python stages/expect.py small", "dvc repro robustness@small"]
    (changeable / "metrics/small.int8.json").write_text(json.dumps(row | {"corpus": "folder"}))
    for name in ("cortex_m/small.int8.json", "detector.json"):
        (changeable / "metrics" / name).unlink(missing_ok=True)
    missing = [part.command for part in read(changeable, studies=True).missing]
    assert missing == [
        "python stages/expect.py small",
        "dvc repro robustness@small",
        "dvc repro measure@small-int8",
        "dvc repro detect@small-int8",
    ]
    assert not {"strangers", "Strangers"} & set(re.findall(r"\w+", text))


def test_own_words_are_judged_by_speakers_left_out(changeable):
    study = json.loads((changeable / "metrics/crossval.json").read_text())["small"]
    of_own_words(changeable)
    expected = changeable / "metrics/expected/small.json"
    expected.parent.mkdir()
    expected.write_text(json.dumps({"small": study | {"mean": 0.625, "corpus": "folder"}}))
    answers = changeable / "plots/expected/small.csv"
    answers.parent.mkdir()
    answers.write_text("utterance,speaker,actual,float32\n0_no_bo_0,bo,no,stop\n")
    record = read(changeable, studies=True)
    assert record.answers["small"]["predicted"].tolist() == ["stop"]
    text = page(record)
    assert "62.50" in text
    assert "stages/expect.py" not in text
    # The pipeline's own page depends on nothing that is no stage's output.
    assert read(changeable, studies=False).results.crossval == {}


def test_mistakes_of_another_split_are_not_played(changeable):
    assert "utterance" in read(changeable, studies=True).tested["small"]
    split = changeable / "data/split.csv"
    clips = [
        {"path": path, "md5": hashes.md5(changeable / path)}
        for path in ("data/raw/manifest.csv", "data/split.csv")
    ]
    lock = {"stages": {"evaluate@small": {"deps": clips}}}
    (changeable / "dvc.lock").write_text(json.dumps(lock))
    assert "utterance" in read(changeable, studies=True).tested["small"]
    split.write_text(split.read_text() + "\n")  # another split with the same words
    assert "utterance" not in read(changeable, studies=True).tested["small"]


def git(folder: Path, *arguments: str) -> None:
    names = {
        f"GIT_{who}_{what}": "tests@localhost"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, **names},
    )


def test_a_comparison_shows_what_changed_and_whether_it_is_more_than_chance(tmp_path):
    record = SmallRecord(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "metrics", "studies", "params.yaml")
    git(tmp_path, "commit", "--quiet", "--message", "before")
    git(tmp_path, "tag", "before")
    record.write_predictions({"ann": 11, "bo": 6})
    record.json("metrics/new.json", {"accuracy": 1.0, "corpus": record.corpus})
    text = page(read(tmp_path, studies=True), "before")
    check_structure(text)
    changed = next(e for e in parse(text).iter("section") if e.get("id") == "changes")
    rows = {tuple(written(cell) for cell in row) for row in changed.iter("tr")}
    assert ("small", "voices never heard", "87.50 %", "70.83 %", "-16.67 points") in rows
    assert ("small", "worst voice", "75.00 %", "50.00 %", "-25.00 points") in rows
    assert not any("test accuracy" in row for row in rows)
    said = written(changed)
    assert "small at before is better than small now by 16.7 points" in said
    assert "Only here: new." in said
    with pytest.raises(UserError, match="never is no revision of this repository"):
        page(read(tmp_path, studies=True), "never")


def test_the_stage_writes_the_page_without_pytorch(changeable):
    code = (
        "import runpy, sys\n"
        "sys.argv = ['report_page.py', '--output', 'here.html']\n"
        f"runpy.run_path({str(REPOSITORY / 'stages/report_page.py')!r}, run_name='__main__')\n"
        "assert 'torch' not in sys.modules and 'matplotlib' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=changeable, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("here.html: ")
    check_structure((changeable / "here.html").read_text(encoding="utf-8"))


def test_mistakes_of_users_are_one_line(changeable, monkeypatch):
    monkeypatch.chdir(changeable)
    with pytest.raises(UserError, match="metrics is a folder: name a file with --output"):
        main(["--output", "metrics"])
    (changeable / "plots/curves/small.csv").write_text("epoch\n1\n")
    with pytest.raises(UserError, match=r"curves/small\.csv lacks the column train_accuracy"):
        main([])
    (changeable / "models/small.safetensors").write_bytes(b"no")
    shutil.rmtree(changeable / "plots/curves")
    with pytest.raises(UserError, match=r"small\.safetensors has no model card"):
        main([])
    shutil.rmtree(changeable / "metrics")
    with pytest.raises(UserError, match="metrics/ is empty"):
        main([])
    assert not (changeable / "report.html").exists()


def opened(path: Path) -> tuple[float, list[str]]:
    """Seconds that a browser takes for a page, and what it complains of."""
    began = time.monotonic()
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")
    done = subprocess.run(
        [str(BROWSER), *options, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return time.monotonic() - began, [s for s in done.stderr.splitlines() if "CONSOLE" in s]


@pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")
def test_a_browser_opens_the_page_at_once_and_without_complaint(recorded, tmp_path):
    blank, whole, broken = (tmp_path / f"{name}.html" for name in ("blank", "whole", "broken"))
    blank.write_text("<!doctype html><title>blank</title>")
    whole.write_text(recorded, encoding="utf-8")
    broken.write_text(recorded.replace("</body>", "<script>1</script></body>"), encoding="utf-8")
    opened(blank)  # the first start of a browser takes longer
    # The better of two: other work on the machine is no fault of the page.
    start = min(opened(blank)[0] for _ in range(2))
    seconds, complaints = zip(*(opened(whole) for _ in range(2)), strict=True)
    assert complaints == ([], [])
    assert min(seconds) - start < OPENS_WITHIN_S
    assert opened(broken)[1] != []  # the policy refuses scripts, and the browser says so
