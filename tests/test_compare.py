"""The command that compares two models, in a repository with made-up predictions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import warm_python
import yaml
from recordings import REPOSITORY

SPEAKERS = ("ann", "bo", "cy")
FOLDER = "studies/predictions/speaker"


def write_run(root: Path, run: str, right: dict[str, str], columns: str = "float32") -> None:
    """Predictions of one run: for each speaker a digit a clip, 1 where it is recognised."""
    rows = [f"utterance,speaker,actual,{columns}"]
    for speaker, flags in right.items():
        for i, flag in enumerate(flags):
            said = ",".join(["yes" if flag == "1" else "no"] * len(columns.split(",")))
            rows.append(f"yes_{speaker}_{i},{speaker},yes,{said}")
    path = root / FOLDER / f"{run}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")


def write_recorded(root: Path, model: str, right: str, split: str = "a") -> None:
    rows = ["actual,predicted,corpus"]
    rows += [f"yes,{'yes' if flag == '1' else 'no'},tones" for flag in right]
    path = root / f"plots/confusion/{model}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    lock = root / "dvc.lock"
    content = yaml.safe_load(lock.read_text()) if lock.exists() else {"stages": {}}
    content["stages"][f"evaluate@{model}"] = {
        "deps": [
            {"path": "data/raw/manifest.csv", "md5": "m"},
            {"path": "data/split.csv", "md5": split},
        ]
    }
    lock.write_text(yaml.safe_dump(content))


@pytest.fixture
def root(tmp_path) -> Path:
    """Two models on three speakers, one fold a speaker, and on the recorded split."""
    for fold, speaker in enumerate(SPEAKERS):
        write_run(tmp_path, f"good-{fold}-1", {speaker: "1111111100"}, "float32,int8")
        write_run(tmp_path, f"bad+voices-{fold}-1", {speaker: "1111000000"})
    write_recorded(tmp_path, "good", "11111111")
    write_recorded(tmp_path, "bad", "11000000")
    return tmp_path


def compare(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [warm_python.python(), "-m", "spoken_digits.compare", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )


def verdict(root: Path, *arguments: str) -> str:
    done = compare(root, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def refusal(root: Path, *arguments: str) -> str:
    done = compare(root, *arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def runs(*names: str) -> tuple[str, ...]:
    return (*names, "--predictions", FOLDER)


def test_folds_are_compared_speaker_by_speaker(root):
    done = compare(root, *runs("good.int8", "bad+voices"))
    lines = done.stdout.splitlines()
    assert lines[0] == f"30 clips of 3 speakers in {FOLDER}"
    assert lines[1].split() == ["speaker", "clips", "good.int8", "bad+voices", "difference"]
    assert [line.split() for line in lines[2:5]] == [
        [speaker, "10", "80.0", "40.0", "40.0"] for speaker in SPEAKERS
    ]
    assert lines[5].startswith(
        "good.int8 is better than bad+voices by 40.0 points, 95 % interval 40.0 to 40.0, "
        "on 3 speakers (rough"
    )


def test_a_clip_counts_once_however_many_seeds_there_are(root):
    for fold, speaker in enumerate(SPEAKERS):
        write_run(root, f"good-{fold}-2", {speaker: "0000000000"}, "float32,int8")
    done = compare(root, *runs("good", "bad+voices"))
    assert done.stdout.startswith("30 clips of 3 speakers")
    assert "good and bad+voices are equal" in done.stdout


def test_recorded_test_clips_are_compared_by_mcnemar(root):
    assert verdict(root, "bad", "good").startswith(
        "good is better than bad by 75.0 points, p = 0.031 by McNemar's exact test"
    )


def test_revisions_and_experiments_are_compared(root):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("add", "--all")
    git("commit", "--quiet", "--message", "before")
    write_recorded(root, "good", "11000000")
    for fold, speaker in enumerate(SPEAKERS):
        write_run(root, f"good-{fold}-1", {speaker: "1111000000"}, "float32,int8")
    git("commit", "--quiet", "--all", "--message", "after")
    git("update-ref", "refs/exps/ab/cdef/lame-duck", "HEAD")
    git("reset", "--quiet", "--hard", "HEAD^")
    assert verdict(root, "good", "good@lame-duck").startswith("good is better than good@lame-duck")
    assert verdict(root, *runs("good@main", "good@lame-duck")).startswith(
        "good@main is better than good@lame-duck by 40.0 points"
    )
    assert "nowhere is no revision of this repository and no experiment" in refusal(
        root, "good", "good@nowhere"
    )


def test_a_revision_without_a_repository_is_one_line(root):
    assert "not a git repository" in refusal(root, "good", "good@main")


def test_an_unknown_model_lists_those_there_are(root):
    assert "has no model 'god'; it has bad, good; did you mean `good`?" in refusal(
        root, "god", "bad"
    )
    assert "has no model 'bad'; it has bad+voices, good" in refusal(root, *runs("good", "bad"))


def test_an_unknown_scheme_lists_those_there_are(root):
    assert "no predictions of good.pow2; it has good, good.int8" in refusal(
        root, *runs("good.pow2", "good")
    )
    assert "--predictions" in refusal(root, "good.int8", "good")
    (root / "metrics").mkdir()
    (root / "metrics/corpus.json").write_text('{"corpus": "folder"}')
    said = refusal(root, "good.int8", "good")
    assert "`spoken-digits report` has the figures of both" in said
    assert "studies" not in said


def test_a_name_that_ends_in_an_at_names_no_revision(root):
    assert "good@ names no revision after @: good@HEAD, for example" in refusal(
        root, "good", "good@"
    )


def test_different_clips_are_named(root):
    (root / FOLDER / "good-2-1.csv").unlink()
    fault = refusal(root, *runs("good", "bad+voices"))
    assert "10 only one of them has, such as yes_cy_0 of bad+voices" in fault


def test_where_seeds_draw_the_clips_those_that_both_models_have_are_compared(root):
    for path in (root / FOLDER).glob("*.csv"):
        path.unlink()
    for seed in (1, 2, 10):  # each tests two clips of its own
        rows = f"yes_an_{seed},an,yes,yes,yes\nno_bo_{seed},bo,no,no,no\n"
        text = f"utterance,speaker,actual,float32,int8\n{rows}"
        for model in ("good", *(["bad"] if seed > 1 else [])):
            right = text if model == "good" else text.replace("no,no,no", "no,yes,yes")
            (root / FOLDER / f"{model}-0-{seed}.csv").write_text(right)
    said = compare(root, *runs("good", "bad")).stdout
    assert said.startswith("runs of the seeds that both have: 2, 10\n4 clips of 2 speakers")


def test_another_split_is_noticed_though_its_words_are_the_same(root):
    write_recorded(root, "bad", "11000000", split="b")
    assert "tested on different clips: data/split.csv differs" in refusal(root, "good", "bad")


def test_other_words_are_noticed(root):
    path = root / "plots/confusion/bad.csv"
    path.write_text(path.read_text().replace("yes,yes", "no,no"))
    assert "the column `actual`" in refusal(root, "good", "bad")
    run = root / FOLDER / "bad+voices-0-1.csv"
    run.write_text(run.read_text().replace(",ann,", ",eve,"))
    assert "differ in speaker or word of yes_ann_0" in refusal(root, *runs("good", "bad+voices"))


def test_runs_of_different_corpora_are_not_averaged(root):
    write_run(root, "good-0-2", {"ann": "1111111100"}, "float32,int8")
    run = root / FOLDER / "good-0-2.csv"
    run.write_text(run.read_text().replace(",ann,", ",eve,"))
    assert "the runs of good differ" in refusal(root, *runs("good", "bad+voices"))


def test_the_same_model_twice_is_refused(root):
    assert "is given twice" in refusal(root, "good", "good")


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "is damaged"), ("utterance,float32\na,yes\n", "lacks the columns speaker, actual")],
)
def test_damaged_predictions_are_named(root, content, said):
    (root / FOLDER / "good-0-1.csv").write_text(content)
    fault = refusal(root, *runs("good", "bad+voices"))
    assert said in fault
    assert "good-0-1.csv" in fault


def test_an_empty_folder_says_how_to_fill_it(root):
    assert "make them with `make crossval`" in refusal(
        root, "good", "bad", "--predictions", "studies/none"
    )


def test_a_split_that_is_not_recorded_is_one_line(root):
    (root / "dvc.lock").write_text("stages: {}\n")
    assert "dvc.lock does not say on which clips" in refusal(root, "good", "bad")
