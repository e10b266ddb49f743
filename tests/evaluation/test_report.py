"""The pages name the corpus of every figure, and take every fact about it from the metrics."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from recordings import REPOSITORY

from spoken_digits.config import read_config
from spoken_digits.errors import UserError
from spoken_digits.evaluation.conditions import RobustnessParams, conditions
from spoken_digits.evaluation.report import corpora, distorted, pages, picture
from spoken_digits.evaluation.report.collecting import Results, collect

WORDS = "words 2"
OTHER = "espeak 1, synthetic speech"
CORPUS = {
    "corpus": "words",
    "title": "Words of the House",
    "version": "2",
    "synthetic": False,
    "licence": "none",
    "n_clips": 1234,
    "n_speakers": 7,
    "n_words": 3,
    "split": {
        "scheme": "random",
        "fold": 0,
        "train": 1000,
        "val": 100,
        "test": 134,
        "test_speakers": 7,
        "test_speakers_in_train": 7,
    },
}
FLOAT = {
    "accuracy": 0.9,
    "accuracy_ci_low": 0.85,
    "accuracy_ci_high": 0.93,
    "parameters": 1000,
    "size_kib": 4.0,
    "corpus": WORDS,
}
INTEGER = FLOAT | {"accuracy_drop": 0.01, "agreement": 0.98, "parameter_bytes": 1111}
COST = {
    "model_sha256": "0" * 64,
    "mismatches": 0,
    "flash_bytes": 2222,
    "frontend_flash_bytes": 3333,
    "ram_bytes": 44,
    "frontend_ram_bytes": 55,
    "stack_bytes": 66,
    "instructions_m0": 777_777,
    "instructions_m3": 555_555,
    "frontend_instructions_m0": 8888,
    "frontend_instructions_m3": 6666,
    "recogniser_flash_bytes": 5678,
    "recogniser_ram_bytes": 89,
    "recogniser_instructions_m0": 999_999,
}
STUDY = {"mean": 0.91, "std": 0.02, "values": [0.89, 0.93], "corpus": WORDS}


def speaker(mean: float, chosen_by: str | None) -> dict[str, Any]:
    """A speaker's figures under two seeds, four points apart."""
    return {"mean": mean, "min": mean - 0.02, "max": mean + 0.02, "n": 9, "chosen_by": chosen_by}


UNSEEN = {
    "mean": 0.81,
    "std_speakers": 0.03,
    "worst": 0.72,
    "worst_speaker": "bo",
    "accuracy_ci_low": 0.7,
    "accuracy_ci_high": 0.88,
    "adapted_mean": None,
    "per_speaker": {"ann": speaker(0.9, "bo"), "bo": speaker(0.72, "ann")},
    "seeds": [1, 2],
    "corpus": WORDS,
}
STRANGERS = {
    "accuracy": 0.61,
    "accuracy_ci_low": 0.5,
    "accuracy_ci_high": 0.7,
    "n": 77,
    "by_seed": {"1": {"accuracy": 0.66, "accuracy_ci_low": 0.55, "accuracy_ci_high": 0.75}},
    "per_speaker": {"cy": speaker(0.6, "")},
    "seeds": [1],
    "corpus": WORDS,
}
STEP = {
    "model": "small",
    "mean": 0.75,
    "loss": 0.0,
    "loss_error": 0.0,
    "trainings": 4,
    "per_speaker": {"ann": 0.8, "bo": 0.7},
    "seeds": [1, 2],
    "corpus": WORDS,
}
DISTORTED = """model,condition,level,accuracy,n,corpus
NAME,clean,,0.9,134,words 2
NAME,white_noise,10,0.456,134,words 2
NAME,white_noise,7,0.321,134,words 2
NAME,level,-40,0.789,134,words 2
"""
STUDIES = ("seeds.json", "official.json", "crossval.json", "strangers.json", "ablation.json")
HEADLINES = {
    "seeds.json": "91.00 ± 2.00 %",
    "crossval.json": "81.00 %",
    "strangers.json": "61.00 %",
}
README = "before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n"


class Committed:
    """Folders of figures that a test may change before they are read."""

    def __init__(self, root: Path) -> None:
        self.metrics, self.benchmarks = root / "metrics", root / "benchmarks"
        self.robustness = root / "plots" / "robustness"
        self.write("corpus.json", CORPUS)
        self.write("small.json", FLOAT)
        self.write("small.int8.json", INTEGER)
        self.write("small_too.json", FLOAT)
        self.write("cortex_m/small.int8.json", COST)
        self.write("seeds.json", {"small": {**STUDY, "seeds": [1, 2]}})
        self.write("official.json", {"small": {**STUDY, "seeds": [1, 2]}})
        self.write("crossval.json", {"small": UNSEEN, "small+voices.int8": UNSEEN})
        self.write("strangers.json", {"small": STRANGERS})
        less = {"mean": 0.7, "loss": 0.0512, "loss_error": 0.0121}
        steps = {"noise": STEP | {"loss": -0.01}, "time_warp": STEP | less, "nothing": STEP}
        self.write("ablation.json", steps)
        published = [
            {"model": "small", "scheme": "float32", "accuracy": 0.8, "corpus": "words"},
            {"model": "small_too", "scheme": "float32", "accuracy": 0.7, "corpus": "elsewhere"},
        ]
        rows = [{**row, "title": row["corpus"].title()} for row in published]
        self.write("../benchmarks/published.json", {"rows": rows})
        for name in ("small.int8", "small", "stale"):
            self.distort(name, DISTORTED)

    def write(self, name: str, figures: dict[str, Any]) -> None:
        path = self.metrics / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures))

    def distort(self, name: str, rows: str) -> None:
        self.robustness.mkdir(parents=True, exist_ok=True)
        (self.robustness / f"{name}.csv").write_text(rows.replace("NAME", name))

    def results(self) -> Results:
        plots = self.robustness.parent
        return collect(["small", "small_too"], self.metrics, plots, self.benchmarks)


@pytest.fixture
def committed(tmp_path) -> Committed:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "metrics").mkdir()
    return Committed(tmp_path)


def texts(results: Results) -> list[str]:
    return [pages.readme(README, results), pages.results_page(results)]


def test_the_pages_tell_the_recorded_corpus_and_no_other(committed):
    for text in texts(committed.results()):
        assert "Words of the House 2: 1,234 recordings of 3 words by 7 speakers" in text
        assert "1,000 clips to train on, 100 for validation, 134 to test on" in text
        assert "All 7 test speakers are in the training clips too" in text
        assert "different corpora" not in text
        assert "| corpus |" not in text
    assert picture.title(committed.results()).startswith("Words of the House 2, random split")


def test_no_corpus_is_written_in_the_code_of_the_report():
    package = REPOSITORY / "spoken_digits/evaluation/report"
    for path in (*package.glob("*.py"), REPOSITORY / "stages/report.py"):
        for word in ("fsdd", "free spoken", "3,000", "2,100", "six speakers"):
            assert word not in path.read_text().lower(), f"{path.name}: {word}"


def test_only_the_text_between_the_markers_changes(committed):
    text = pages.readme(README, committed.results())
    assert text.startswith(
        "before\n<!-- results: begin -->\n**Voices never heard in training: `small` "
    )
    assert text.endswith("\n<!-- results: end -->\nafter\n")
    assert "old" not in text
    with pytest.raises(UserError, match="markers"):
        pages.readme("no markers", committed.results())


@pytest.mark.parametrize("name", ["small.int8.json", *STUDIES, "corpus.json"])
def test_mixed_corpora_are_said_to_be(name, committed):
    figures = json.loads((committed.metrics / name).read_text())
    changes = {"corpus": OTHER}
    if name == "corpus.json":
        committed.write(name, figures | {"corpus": "espeak", "version": "1", "synthetic": True})
    elif name in STUDIES:
        committed.write(name, {model: study | changes for model, study in figures.items()})
    else:
        committed.write(name, figures | changes)
    results = committed.results()
    for text in texts(results):
        above, _, table = text.partition("| model ")
        assert "**These rows are of different corpora: " in above
        assert f"`{WORDS}`" in above
        assert f"`{OTHER}`" in above
        assert table.splitlines()[0].endswith("| corpus |")
        assert "recognises" not in above, "a headline over a mixed table"
    headline, page = texts(results)
    for text, row in ((headline, "| `small` | 4.00 "), (page, "| `small` | float32 ")):
        (line,) = (line for line in text.splitlines() if line.startswith(row))
        assert line.endswith(f"| {WORDS} |")
    own = OTHER if name == "small.int8.json" else WORDS
    (line,) = (line for line in page.splitlines() if line.startswith("| `small` | int8 | 1,000 "))
    assert line.endswith(f"| {own} |")
    for study, figure in HEADLINES.items():
        assert (f"| {figure} ({OTHER}) |" in page) == (name == study)
    assert picture.title(results).startswith("DIFFERENT CORPORA")


def test_synthetic_speech_is_called_so(committed):
    committed.write("corpus.json", CORPUS | {"synthetic": True})
    for name in ("small.json", "small_too.json", "small.int8.json"):
        committed.write(name, INTEGER | {"corpus": f"{WORDS}, synthetic speech"})
    for name in STUDIES:
        (committed.metrics / name).unlink()
    shutil.rmtree(committed.robustness)
    results = committed.results()
    for text in texts(results):
        assert "Words of the House 2 (synthetic speech): 1,234 clips of synthetic speech" in text
    assert "(synthetic speech)" in picture.title(results)


@pytest.mark.parametrize(
    ("scheme", "n_heard", "said"),
    [
        ("speaker", 0, "Split by speaker, fold 0: 1,000"),
        ("speaker", 0, "No training clip is by any of the 7 test speakers."),
        ("official", 7, "Test clips set aside by the corpus's authors: 1,000"),
        ("random", 3, "3 of the 7 test speakers are in the training clips too."),
    ],
)
def test_the_split_is_described_as_recorded(scheme, n_heard, said):
    split = CORPUS["split"] | {"scheme": scheme, "test_speakers_in_train": n_heard}
    assert said in corpora.describe(CORPUS | {"split": split})


def test_the_official_split_has_a_table_of_its_own(committed):
    page = pages.results_page(committed.results())
    section = page.split("## Official split")[1].split("\n## ")[0]
    assert section.count("| `small` | 91.00 % |") == 1
    (committed.metrics / "official.json").unlink()
    assert "Official split" not in pages.results_page(committed.results())


def test_costs_come_from_the_stage_that_measures(committed):
    page = pages.results_page(committed.results())
    row = "| `small` | int8 | 1,111 | 5,678 | 89 | 66 | 777,777 | 555,555 | 8,888 "
    assert row in page
    assert "M4" not in page  # recorded before that board was
    committed.write("cortex_m/small.int8.json", COST | {"instructions_m4": 444_444})
    page = pages.results_page(committed.results())
    assert "| M0 clip | M3 clip | M4 clip | M0 frame | M3 frame | mismatches |" in page
    assert "| 777,777 | 555,555 | 444,444 | 8,888 |" in page
    committed.write("cortex_m/small.int8.json", {"model_sha256": "0" * 64})
    assert "Cortex-M" not in pages.results_page(committed.results())


def rows_of(text: str) -> list[str]:
    """Lines of the tables in a Markdown text, rules left out."""
    return [line for line in text.splitlines() if line.startswith("| ")]


def test_the_headline_is_voices_never_heard_beside_the_random_split(committed):
    assert rows_of(pages.readme(README, committed.results())) == [
        "| model | size | voices never heard | 95 % interval | worst voice | random split |",
        "| `small` | 4.00 KiB | 81.00 % | 70.00 to 88.00 | 72.00 % (bo) | 91.00 ± 2.00 % |",
        "| `small_too` | 4.00 KiB |  |  |  | 90.00 % |",
    ]


def test_the_page_begins_with_all_models_extra_voices_and_references_too(committed):
    page = pages.results_page(committed.results())
    assert rows_of(page.partition("## Voices never heard")[0]) == [
        "| model | size | voices never heard | 95 % interval | worst voice | strangers "
        "| random split | reference |",
        "| `small` | 4.00 KiB | 81.00 % | 70.00 to 88.00 | 72.00 % (bo) | 61.00 % "
        "| 91.00 ± 2.00 % | 80.00 % |",
        "| `small+voices.int8` | 4.00 KiB | 81.00 % | 70.00 to 88.00 | 72.00 % (bo) |  |  |  |",
        "| `small_too` | 4.00 KiB |  |  |  |  | 90.00 % | 70.00 % (Elsewhere) |",
    ]


def test_the_step_whose_loss_is_largest_stands_below_the_whole_recipe(committed):
    page = pages.results_page(committed.results())
    _, _, section = page.partition("## What each step of the augmentation is worth")
    assert "4 pairs of trainings" in section.partition("|")[0]
    assert rows_of(section.partition("##")[0]) == [
        "| without | accuracy | loss | ann | bo |",
        "| nothing | 75.00 % |  | 80.00 | 70.00 |",
        "| time warp | 70.00 % | 5.12 ± 1.21 | 80.00 | 70.00 |",
        "| noise | 75.00 % | -1.00 ± 0.00 | 80.00 | 70.00 |",
    ]


def test_words_that_nobody_recorded_are_told_from_people(committed):
    assert "nobody recorded" not in pages.results_page(committed.results())
    people = {"accuracy": 0.8, "std": 0.02, "accuracy_ci_low": 0.7, "accuracy_ci_high": 0.9}
    model = {**people, "per_word": {"go": 0.6, "yes": 1.0}, "synthesised_voices": 0.95}
    said = {
        "words": ["yes", "go"],
        "n_synthesised_clips": 2160,
        "n_clips": 20,
        "n_speakers": 5,
        "seeds": [1, 2],
        "models": {"small.int8": model},
    }
    committed.write("../benchmarks/said.json", said)
    _, _, section = pages.results_page(committed.results()).partition("## Words that nobody")
    assert "`spoken-digits run --say yes go`:" in section
    assert "2,160 clips of them, tested on 20 recordings of 5 people" in section
    assert rows_of(section.partition("##")[0]) == [
        "| model | people | 95 % interval | worst word | synthesised voices |",
        "| `small.int8` | 80.00 ± 2.00 % | 70.00 to 90.00 | 60.00 % (go) | 95.00 % |",
    ]


def test_the_headline_has_eight_models_at_most(committed):
    names = [f"m{number:02}" for number in range(12)]
    for number, name in enumerate(names):
        committed.write(f"{name}.json", FLOAT | {"accuracy": 0.5 + number / 100})
    committed.write("crossval.json", {"m03": UNSEEN, "m04": UNSEEN | {"mean": 0.82}})
    committed.write("strangers.json", {})
    committed.write("../benchmarks/published.json", {"rows": []})
    plots = committed.robustness.parent
    results = collect(names, committed.metrics, plots, committed.benchmarks)
    shown = [row.split("`")[1] for row in rows_of(pages.readme(README, results))[1:]]
    assert shown == ["m04", "m03"]
    committed.write("crossval.json", {})  # then all, best first
    results = collect(names, committed.metrics, plots, committed.benchmarks)
    shown = [row.split("`")[1] for row in rows_of(pages.readme(README, results))[1:]]
    assert shown == names[:3:-1]


def test_the_best_on_voices_never_heard_comes_first_and_makes_the_headline(committed):
    better = UNSEEN | {"mean": 0.86, "seeds": [1]}
    studies = {"small": UNSEEN, "small_too": better, "small+voices": UNSEEN | {"mean": 0.9}}
    committed.write("crossval.json", studies)
    text = pages.readme(README, committed.results())
    shown = [line.split(" ")[1] for line in text.splitlines() if line.startswith("| `")]
    assert shown == ["`small_too`", "`small`"]
    assert (  # what the corpus alone gives, not what extra voices add
        "`small_too` recognises 86.00 % of the words** (95 % interval 70.00 to 88.00), 72.00 % "
        "with the worst voice. Each of 2 speakers was left out in turn; one seed."
    ) in text
    committed.write("crossval.json", {"small": UNSEEN})
    assert "left out in turn; mean of 2 seeds." in pages.readme(README, committed.results())


def test_a_computed_size_stands_only_where_none_was_measured_and_says_so(committed):
    committed.write("small_too.json", FLOAT | {"int8_kib": 1.23})
    committed.write("small_too.int8_dynamic.json", INTEGER | {"size_kib": 3.8})
    headline, page = texts(committed.results())
    assert "| `small_too` | 1.23 KiB as int8 |" in headline
    assert "*As int8*: a computed size" in headline
    assert "accuracies of these rows are of float32 weights" in headline
    assert "| `small_too` | float32 | 1,000 | 4.00 KiB | 1.23 KiB | 90.00 % |" in page
    assert "| `small_too` | int8_dynamic | 1,000 | 3.80 KiB |  | 90.00 % |" in page
    assert "*As int8*: the computed size" in page
    committed.write("small_too.int8_dynamic.json", INTEGER | {"size_kib": 1.4})
    headline, _ = texts(committed.results())
    assert "| `small_too` | 4.00 KiB |" in headline
    assert "As int8" not in headline


def test_distorted_clips_have_a_row_for_each_network_of_params_yaml(committed):
    lines = pages.results_page(committed.results()).splitlines()
    start = lines.index("## Robustness")
    tables = [line for line in lines[start:] if line.startswith("| `small")]
    assert tables[:4] == [
        "| `small` | 90.0 |  | 45.6 |  |  |  |  |  | 134 |",
        "| `small.int8` | 90.0 |  | 45.6 |  |  |  |  |  | 134 |",
        "| `small` | 78.9 |  |  |  |  |  |  |  | 134 |",
        "| `small.int8` | 78.9 |  |  |  |  |  |  |  | 134 |",
    ]
    assert not any("stale" in line for line in lines)
    committed.distort("small", DISTORTED.replace("words 2", f'"{OTHER}"'))
    assert "different corpora" in pages.results_page(committed.results())


@pytest.mark.parametrize(
    "rows",
    ["", "model,condition\n", DISTORTED.replace("accuracy", "x"), DISTORTED + "NAME,dc,1,y,5,w\n"],
)
def test_a_damaged_table_of_distorted_clips_is_one_line(rows, committed):
    committed.distort("small", rows)
    with pytest.raises(UserError, match=r"small\.csv is damaged .*`dvc repro`"):
        committed.results()


def test_the_shown_conditions_are_those_of_the_stage():
    params = read_config(REPOSITORY / "params.yaml").section("robustness", RobustnessParams)
    tested = {(condition.name, condition.written_level) for condition in conditions(params)}
    assert {*distorted.NOISE_AND_CHANNEL, *distorted.LEVEL_SILENCE_AND_SPEED} <= tested


def test_the_page_has_every_speaker_the_spread_and_who_chose(committed):
    page = pages.results_page(committed.results())
    row = "| `small+voices.int8` | 81.00 % | 70.00 to 88.00 | 3.00 | 72.00 % | bo | 4.00 | chosen |"
    assert row in page
    assert "| model | ann | bo |" in page
    assert "| `small` | 90.00 | 72.00 |" in page
    assert "| `small` | 61.00 % | 50.00 to 70.00 | 77 | 1 | 1: 66.00 % (55.00 to 75.00) |" in page
    assert "when adapting" not in page
    last = UNSEEN | {"adapted_mean": 0.83, "per_speaker": {"ann": speaker(0.9, "")}}
    committed.write("crossval.json", {"small": last, "small_too": UNSEEN})
    page = pages.results_page(committed.results())
    assert "| bo | 4.00 | last | 83.00 % |" in page
    assert "| bo | 4.00 | chosen |  |" in page


def test_sixty_speakers_have_no_columns(committed):
    everyone = {f"s{n}": speaker(0.8, None) for n in range(60)}
    committed.write("crossval.json", {"small": UNSEEN | {"per_speaker": everyone}})
    page = pages.results_page(committed.results())
    assert "| bo | 4.00 |  |" in page
    assert "s59" not in page


def test_a_published_figure_of_another_corpus_is_named(committed):
    page = pages.results_page(committed.results())
    assert "| 80.00 % |\n" in page
    assert "| 70.00 % (Elsewhere) |\n" in page


@pytest.mark.parametrize(
    ("name", "command"), [("small.json", "dvc repro"), ("seeds.json", "make crossval")]
)
def test_figures_that_do_not_name_their_corpus_are_refused(name, command, committed):
    nameless = {key: value for key, value in FLOAT.items() if key != "corpus"}
    committed.write(name, {"small": nameless} if name == "seeds.json" else nameless)
    with pytest.raises(UserError, match=rf"{name} does not name its corpus.*`{command}`"):
        committed.results()


def test_missing_studies_and_benchmarks_leave_their_sections_out(committed):
    for name in STUDIES:
        (committed.metrics / name).unlink()
    (committed.benchmarks / "published.json").unlink()
    shutil.rmtree(committed.robustness)
    page = pages.results_page(committed.results())
    assert "## Seeds" not in page
    assert "## Voices never heard" not in page
    assert "## Strangers" not in page
    assert "## Robustness" not in page
    row = "| `small_too` | 4.00 KiB |  |  |  | 90.00 % |"
    assert row in pages.readme(README, committed.results())
    assert "## Speed" not in page


def test_without_the_split_there_is_one_line(committed):
    (committed.metrics / "corpus.json").unlink()
    with pytest.raises(UserError, match=r"corpus\.json is missing.*dvc repro split"):
        committed.results()


def test_the_picture_is_the_same_bytes_each_time(committed, tmp_path):
    for name in ("a.png", "b.png"):
        picture.draw(tmp_path / name, committed.results())
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_listening_has_a_row_a_detector_and_blanks_for_what_was_not_tested(committed):
    words, hour = {"n": 30, "hit_rate": 0.9}, {"per_hour": 1.5}
    heard = {"threshold": 0.5, "words": words, "words_noisy": words, "words_in_room": words}
    heard |= {"noise": hour, "corpus": "words 1", "speakers_unheard": None}
    more = {
        "words_in_babble": words,
        "babble": hour,
        "synthetic": hour,
        "latency_ms": 210.0,
    }
    others = {"other_words": {"n": 7, "false_accepts": 3}}
    slid = {"sliding": heard | {"threshold": 0.75, "latency_ms": 140.0}}
    committed.write(
        "detector.json", {"small.int8": heard | more | others | slid, "small.pow2": heard}
    )
    page = pages.results_page(committed.results())
    assert (
        "| `small.int8` | 0.500 | 90.0 | 90.0 | 90.0 | 90.0 | 1.5 | 1.5 | 1.5 | 3 |  | 210 |"
        in page
    )
    slid_row = (
        "| `small.int8`, sliding window | 0.750 | 90.0 | 90.0 | 90.0 |  | 1.5 |  |  |  |  | 140 |"
    )
    assert slid_row in page
    assert "| `small.pow2` | 0.500 | 90.0 | 90.0 | 90.0 |  | 1.5 |  |  |  |  |  |" in page
    assert "per cent of 30 test words" in page
    assert "among 7 other words of real speech" in page
    assert "have heard all speakers" not in page  # that is not known
    assert "### Detectors on voices never heard" not in page  # nor that


def test_listening_to_voices_never_heard_has_the_worst_of_them(committed):
    def words(mean: float, worst: float) -> dict[str, Any]:
        people = {"ann": {"mean": worst}, "bo": {"mean": 1.0}}
        return {
            "hit_rate": mean,
            "wrong_rate": 0.0,
            "worst": worst,
            "worst_speakers": "ann",
            "per_speakers": people,
        }

    heard = {"n": 30, "hit_rate": 0.9}
    committed.write(
        "detector.json",
        {
            "small.int8": {
                "threshold": 0.5,
                "words": heard,
                "words_noisy": heard,
                "words_in_room": heard,
                "corpus": "words 1",
                "speakers_unheard": 0,
            }
        },
    )
    unseen = {"threshold": 0.625, "words": words(0.8, 0.6), "noise": {"per_hour": 0.25}}
    unseen |= {"other_words": {"n": 7, "false_accepts": 3.5}, "latency_ms": 200.0}
    slid = {"threshold": 0.75, "words": words(0.9, 0.75)}
    study = {"seeds": [1, 2, 3], "corpus": "words 1"}
    committed.write("detector_unseen.json", {"small.int8": {**unseen, "sliding": slid, **study}})
    page = pages.results_page(committed.results())
    page = page.partition("### Detectors on voices never heard")[2]
    assert "2 folds and 3 seeds" in page
    assert "| `small.int8` | 0.625 | 80.0 |  |  |  | 60.0 ann | 0.2 |  |  | 3.5 |  | 200 |" in page
    assert "| `small.int8`, sliding window | 0.750 | 90.0 |  |  |  | 75.0 ann |  |" in page
