"""What `run`, `inspect` and `report` say of own words, and what `run` changes; nothing trains."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
import yaml
from recordings import REPOSITORY, tone, write_recordings

from spoken_digits.cli import jobs, main, places
from spoken_digits.config import read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.errors import UserError
from spoken_digits.inspection.corpus import SPEAKER_TAKE
from spoken_digits.synthesis.kokoro import STYLES_ARCHIVE


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks like a checkout; programs that would run are noted."""
    top = tmp_path / "checkout"
    (top / "stages").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, top)
    monkeypatch.chdir(top)
    return top


@pytest.fixture
def calls(monkeypatch):
    found: list[str] = []
    monkeypatch.setattr(places, "dvc", lambda *a: found.append(f"dvc {' '.join(a)}"))
    monkeypatch.setattr(jobs, "_run", lambda graph, jobs: None)
    monkeypatch.setattr(jobs, "_dvc", lambda *a: "{}")
    monkeypatch.setattr(places, "stage", lambda *a: found.append(f"stage {' '.join(a)}"))
    return found


def write(folder: Path, names: list[str], seconds: float = 0.3) -> Path:
    """A tone of its own in each file."""
    for i, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, tone(300 + 7 * i, seconds, seed=i), 8000)
    return folder


def run(*arguments: object) -> None:
    main.main(["run", *map(str, arguments)])


def test_a_dry_run_says_what_it_found_and_would_do_and_does_nothing(
    checkout, calls, tmp_path, capsys
):
    words = write_recordings(tmp_path / "my words", takes=5)
    (words / "stop" / "dan_3.wav").unlink()
    before = (checkout / "params.yaml").read_text()
    run("--words", words, "--model", "tiny", "--dry-run")
    out = capsys.readouterr()
    assert "59 recordings of 3 words, 4 speaker(s): anna, ben, cleo, dan" in out.out
    assert ["stop", "5", "5", "5", "4", "19"] in [line.split() for line in out.out.splitlines()]
    assert "dvc repro evaluate@tiny quantize@tiny-int8\n" in out.out
    assert "each of 4 speakers left out" in out.out
    assert "fewer than 10 takes a speaker of no, stop, yes" in out.err
    assert "too few clips to judge" in out.err
    assert (checkout / "params.yaml").read_text() == before
    assert calls == []


def test_only_the_lines_of_the_corpus_change_and_only_that_model_runs(
    checkout, calls, tmp_path, monkeypatch
):
    monkeypatch.setattr("spoken_digits.cli.run._print_result", lambda models: None)
    words = write_recordings(tmp_path / "my words", takes=5)
    before = (checkout / "params.yaml").read_text()
    run("--words", words, "--model", "tiny")
    after = (checkout / "params.yaml").read_text()
    assert yaml.safe_load(after)["corpus"] == {
        **yaml.safe_load(before)["corpus"],
        "name": "folder",
        "path": str(words),
        "label_pattern": SPEAKER_TAKE,
    }
    diff = difflib.ndiff(before.splitlines(), after.splitlines())
    # The path of a temporary folder may be so long that it is folded.
    lines = [line for line in diff if line[0] in "+-" and not line.startswith("+     ")]
    changed = [line.split(":")[0] for line in lines]
    assert sorted(changed) == sorted(
        f"{sign}   {key}" for sign in "+-" for key in ("name", "path", "label_pattern")
    )
    assert calls == ["dvc repro evaluate@tiny quantize@tiny-int8", "stage expect tiny"]
    run("--words", words, "--model", "tiny")
    assert (checkout / "params.yaml").read_text() == after


@pytest.fixture
def styles_in_reach(tmp_path, monkeypatch):
    """A file of the right name, which is all that is looked for before a stage runs."""
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / STYLES_ARCHIVE).touch()
    monkeypatch.setenv("SPOKEN_DIGITS_ARCHIVES", str(tmp_path / "archives"))


def test_words_to_be_synthesised_become_the_corpus(
    checkout, calls, styles_in_reach, monkeypatch, capsys
):
    monkeypatch.setattr("spoken_digits.cli.run._print_result", lambda models: None)
    before = yaml.safe_load((checkout / "params.yaml").read_text())
    run("--say", "turn on", "stop", "--model", "tiny", "--dry-run")
    assert yaml.safe_load((checkout / "params.yaml").read_text()) == before
    assert calls == []
    run("--say", "turn on", "stop", "--model", "tiny")
    out = capsys.readouterr().out
    assert "corpus.name becomes spoken, corpus.spoken.words turn on, stop" in out
    assert "no figure will say how well people are understood" in out
    after = yaml.safe_load((checkout / "params.yaml").read_text())["corpus"]
    assert after["name"] == "spoken"
    assert after["spoken"] == {**before["corpus"]["spoken"], "words": ["turn on", "stop"]}
    assert calls == ["dvc repro evaluate@tiny quantize@tiny-int8"]  # nobody is left out


def test_yes_and_no_are_words_however_dvc_writes_them(
    checkout, calls, styles_in_reach, monkeypatch
):
    monkeypatch.setattr("spoken_digits.cli.run._print_result", lambda models: None)
    run("--say", "yes", "no", "on", "--model", "tiny")
    corpus = read_config(checkout / "params.yaml").section("corpus", CorpusParams)
    assert corpus.spoken.words == ("yes", "no", "on")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["yes", "да"], "the word 'да' cannot be synthesised: 'д' is not a letter of English"),
        (["yes", "no", "Yes"], "--say: `words` has yes 2 times, must have each word once"),
        (["yes"], "--say: `words` is ['yes'], must be a list of 2 to 1,000 items"),
    ],
)
def test_words_that_cannot_be_synthesised_are_refused(
    checkout, calls, styles_in_reach, words, message
):
    with pytest.raises(UserError) as caught:
        run("--say", *words)
    assert message in str(caught.value)
    assert calls == []


def test_without_the_voices_nothing_changes(checkout, calls, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("SPOKEN_DIGITS_ARCHIVES", "")
    before = (checkout / "params.yaml").read_bytes()
    with pytest.raises(UserError, match=r"kokoro-js-1\.2\.1\.tgz is not in reach"):
        run("--say", "yes", "no")
    assert (checkout / "params.yaml").read_bytes() == before
    assert calls == []


def test_without_words_it_is_the_pipeline(checkout, calls):
    run("--model", "micro", "--model", "cnn")
    run()
    stages = "evaluate@micro quantize@micro-int8 evaluate@cnn"
    assert calls == [f"dvc repro {stages}", "dvc repro"]


def test_a_dry_run_of_the_pipeline_names_the_stages(checkout, calls, monkeypatch, capsys):
    given = []

    def todo(targets, *, pipeline):
        given.append((targets, pipeline))
        return {"download": set(), "split": {"download"}}

    monkeypatch.setattr(jobs, "todo", todo)
    run("--model", "micro", "--dry-run")
    run("--studies", "--dry-run")
    run("--ablation", "--dry-run")
    assert given == [
        (["evaluate@micro", "quantize@micro-int8"], "dvc.yaml"),
        ([], "studies/dvc.yaml"),
        ([], "studies/ablation/dvc.yaml"),
    ]
    said = "download\nsplit\n2 stages to run, but for those whose results lie in DVC's cache\n"
    assert capsys.readouterr().out == 3 * said
    assert calls == []


def test_a_second_run_changes_nothing_while_one_lasts(checkout, calls, tmp_path):
    words = write_recordings(tmp_path / "own", takes=5)
    before = (checkout / "params.yaml").read_text()
    with (
        places.alone(),
        pytest.raises(UserError, match="another `spoken-digits run` is at work in this checkout"),
    ):
        run("--words", words, "--model", "tiny", "--no-expect")
    assert (checkout / "params.yaml").read_text() == before
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--words", ""], "the path is empty"),
        (["inspect", ""], "the path is empty"),
        (["record", "yes", "--speaker", "anna", "--into", ""], "the path is empty"),
        (["budget", "--kib", "36", "--layers", "x"], "'x' is no whole number from 1 on"),
        (["budget", "--kib", "36", "--classes", "0"], "'0' is no whole number from 1 on"),
    ],
)
def test_an_argument_that_says_nothing_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main.main(arguments)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--pattern", ""], "are of own words: name them with --words"),
        (["inspect", "a.wav", "--pattern", "x"], "--pattern is of a folder's file names"),
        (["predict", "", "a.wav"], "the name of the model is empty"),
        (
            ["budget", "--kib", "36", "--reading", "int8_all", "--bytes-per-weight", "4"],
            "--reading int8_all counts what the scheme stores: leave out --bytes-per-weight",
        ),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments, message, checkout):
    with pytest.raises(UserError, match=message):
        main.main(arguments)


def test_models_and_a_revision_are_asked_for_separately(checkout):
    (checkout / "metrics").mkdir()
    (checkout / "metrics/corpus.json").write_text('{"corpus": "fsdd"}')
    for more in ([], ["--output", "a.html"], ["--output", "a.md"]):
        with pytest.raises(UserError, match="--model and --against do not go together"):
            main.main(["report", "--model", "tiny", "--against", "HEAD", *more])


def test_a_word_that_the_terminal_cannot_show_is_escaped(tmp_path):
    own = write_recordings(tmp_path / "own", words=("weiß", "no"), takes=5)
    command = [sys.executable, "-m", "spoken_digits", "inspect", str(own)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=environment, cwd=REPOSITORY)
    assert (done.returncode, done.stderr.count(b"Traceback")) == (0, 0)
    assert rb"wei\xdf" in done.stdout


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.wav", "b.wav"], r"in no word's folder: move it to \S+/<word>/, or give --pattern"),
        (["yes/anna_0.wav", "yes/anna_1.wav"], "own holds only the word 'yes'"),
        (
            ["yes/anna/0.wav", "no/anna/0.wav"],
            r"If it is the outer \(no, yes\), give --pattern '.*; if it is the inner \(anna\), "
            r"give --pattern '",
        ),
        ([], "one folder a word, or name another folder$"),
        (["yes/anna_0.wav", "no/anna_0.wav"], "leaves val empty"),
    ],
)
def test_folders_that_cannot_be_trained_on(names, message, checkout, calls, tmp_path):
    write(tmp_path / "own", names).mkdir(exist_ok=True)
    with pytest.raises(UserError, match=message):
        run("--words", tmp_path / "own", "--model", "tiny")
    assert calls == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "tinny"], "no model tinny in params.yaml; did you mean `tiny`"),
        (["--pattern", "x"], "name them with --words"),
        (["--words", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_mistakes_are_one_line(arguments, message, checkout, calls):
    with pytest.raises(UserError, match=message):
        run(*arguments)
    assert calls == []


@pytest.mark.parametrize("form", ["{0}/{1:03d}.wav", "{0}/{0}_{1}.wav"])
def test_names_without_speakers_are_trained_on_and_said_to_tell_nothing_of_others(
    form, checkout, calls, tmp_path, capsys
):
    names = [form.format(word, i) for word in ("yes", "no") for i in range(20)]
    run("--words", write(tmp_path / "own", names), "--model", "tiny", "--dry-run")
    out = capsys.readouterr()
    assert "unknown speakers" in out.out
    assert "nothing will be known of other voices" in out.out
    assert "give --pattern with a group" in out.err


def test_a_word_of_one_speaker_alone_is_trained_on_but_nobody_is_left_out(
    checkout, calls, tmp_path, capsys
):
    own = write_recordings(tmp_path / "own", speakers=("ann", "bo"), takes=12)
    for path in (own / "stop").glob("bo_*"):
        path.unlink()
    run("--words", own, "--model", "tiny", "--dry-run")
    out = capsys.readouterr()
    assert "one speaker alone says stop, so nobody can be left out" in out.err
    assert "left out in turn" not in out.out


def test_a_pattern_tells_speakers(checkout, calls, tmp_path, capsys):
    names = [f"{w}/{s}/{i}.wav" for w in ("yes", "no") for s in ("ann", "bo") for i in range(10)]
    pattern = r"(?P<label>[^/]+)/(?P<speaker>[^/]+)/(?P<take>\d+)"
    run("--words", write(tmp_path / "own", names), "--pattern", pattern, "--dry-run")
    assert "2 speaker(s): ann, bo" in capsys.readouterr().out


def test_words_from_right_to_left_and_two_hundred_of_them(checkout, calls, tmp_path, capsys):
    words = ["نعم", "לא", *(f"w{i:03d}" for i in range(198))]
    names = [f"{word}/anna_{take}.wav" for word in words for take in range(2)]
    own = write(tmp_path / "own", names, seconds=0.05)
    main.main(["inspect", str(own)])
    out = capsys.readouterr().out
    assert "400 recordings of 200 words" in out
    assert "(160 with more)" in out
    few = write(tmp_path / "few", [n for n in names if n.startswith(("نعم", "לא"))])
    main.main(["inspect", str(few)])
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines()[2:4]] == [
        ["לא\u200e", "2", "2"],
        ["نعم\u200e", "2", "2"],
    ]


def test_a_word_that_a_speaker_never_says_and_a_repeated_recording(tmp_path, capsys):
    own = write_recordings(tmp_path / "own", takes=2)
    for path in (own / "stop").glob("ben_*"):
        path.unlink()
    shutil.copy(own / "yes" / "anna_0.wav", own / "yes" / "anna_7.wav")
    main.main(["inspect", str(own)])
    out = capsys.readouterr().out
    assert "note: ben never says stop" in out
    assert "note: the same recording: yes/anna_0, yes/anna_7" in out


def test_likely_mislabels_are_those_that_all_networks_hear_otherwise(tmp_path, monkeypatch, capsys):
    own = write_recordings(tmp_path / "own", speakers=("ann", "bo"), takes=5)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plots" / "expected").mkdir(parents=True)
    said = {f"yes/ann_{i}": ("yes", "yes") for i in range(5)} | {"yes/ann_3": ("no", "no")}
    said |= {f"yes/bo_{i}": ("yes", "yes") for i in range(5)} | {"yes/bo_3": ("no", "yes")}
    said |= {f"no/bo_{i}": ("stop", "stop") for i in range(5)}  # never understood: no news
    rows = []
    for name, heard in said.items():
        word, _, rest = name.partition("/")
        digest = hashlib.sha256((own / f"{name}.wav").read_bytes()).hexdigest()
        rows.append(",".join([name, digest, rest.partition("_")[0], word, *heard]))
    header = "utterance,sha256,speaker,actual,float32,int8"
    (tmp_path / "plots" / "expected" / "tiny.csv").write_text("\n".join([header, *rows]))

    def mislabels() -> list[str]:
        main.main(["inspect", str(own)])
        return [line for line in capsys.readouterr().out.splitlines() if "mislabel" in line]

    found = mislabels()
    assert len(found) == 1
    assert found[0].startswith("likely mislabel: yes/ann_3 is filed as yes; tiny, which has not")
    # Recorded again: nobody has heard that one.
    write_recordings(tmp_path / "again", words=("no",), speakers=("ann",), takes=1)
    shutil.copy(tmp_path / "again/no/ann_0.wav", own / "yes/ann_3.wav")
    assert mislabels() == []


def test_one_recording_in_words_and_as_a_picture(tmp_path, capsys):
    write(tmp_path, ["a.wav"], seconds=1.0)
    for name in ("a.png", "b.png"):
        main.main(["inspect", str(tmp_path / "a.wav"), "--picture", str(tmp_path / name)])
    out = capsys.readouterr().out
    assert "WAV PCM_16, 8,000 Hz, 1 channel(s), 1.00 s" in out
    assert "sound at  0.00 to 1.00 s" in out
    picture = (tmp_path / "a.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert picture == (tmp_path / "b.png").read_bytes()
    with pytest.raises(UserError, match="pictures are PNG"):
        main.main(["inspect", str(tmp_path / "a.wav"), "--picture", "a.jpg"])
    with pytest.raises(UserError, match="name a file, not a folder"):
        main.main(["inspect", str(tmp_path), "--picture", "a.png"])


def test_an_export_goes_only_where_nothing_is(checkout, calls, tmp_path):
    (checkout / "export" / "tiny.int8").mkdir(parents=True)
    (checkout / "export" / "tiny.int8" / "model.c").write_text("")
    with pytest.raises(UserError, match="exists: remove it, or name another"):
        main.main(["export", "tiny", "--into", str(tmp_path)])
    assert calls == []
    main.main(["export", "tiny", "--into", str(tmp_path / "new")])
    assert (tmp_path / "new" / "model.c").exists()
    main.main(["export", "tiny", "--prefix", "acme_"])
    assert calls == [
        "dvc repro export@tiny-int8",
        "dvc repro measure@tiny-int8",
        "stage export tiny int8 --prefix acme_",
    ]
    with pytest.raises(UserError, match="no tiny as pow2: it has int8"):
        main.main(["export", "tiny", "pow2"])


def test_a_report_without_the_stages_that_it_tells_of(checkout, calls):
    with pytest.raises(UserError, match=r"metrics/corpus\.json is missing: make it with"):
        main.main(["report"])


def test_a_program_that_fails_ends_the_command_with_its_status(monkeypatch, tmp_path):
    with pytest.raises(SystemExit) as done:
        places.call(["sh", "-c", "exit 3"])
    assert done.value.code == 3
    with pytest.raises(SystemExit) as done:
        places.call(["sh", "-c", "exit 255"])  # DVC
    assert done.value.code == 1
    # `python` of a stage is the one that runs the command, activated or not.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    places.call(["sh", "-c", f"command -v python > '{tmp_path}/which'"])
    assert (tmp_path / "which").read_text().strip() == str(Path(sys.executable).parent / "python")


def test_verify_hands_its_options_on(checkout, calls):
    main.main(["verify", "--files", "--stages", "train@tiny", "split"])
    assert calls == ["stage verify --files --stages train@tiny split"]


@pytest.mark.parametrize("corpus", ["folder", "spoken"])
def test_words_of_ones_own_have_a_page_of_their_own(checkout, monkeypatch, corpus):
    """Not the page on all models, whose figures are of another corpus."""
    written = []
    monkeypatch.setattr("spoken_digits.cli.report._write_markdown", lambda *a: written.append(a))
    (checkout / "metrics").mkdir()
    (checkout / "metrics/corpus.json").write_text(json.dumps({"corpus": corpus}))
    main.main(["report"])
    assert written == [(Path("report.md"), None)]
