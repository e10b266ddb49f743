"""Extra voices: who may join the training, and that no stranger ever does."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from frontend_spec import committed_spec
from recordings import REPOSITORY, tone

from spoken_digits import audio
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data.clips import Clip, clip_sources
from spoken_digits.data.dataset import Subset, fit_normalisation
from spoken_digits.data.loading import Dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.data.voices import with_strangers, with_voices
from spoken_digits.errors import UserError
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.training.folds import undivided

EXTRACTOR = MfccInt(committed_spec())
STRANGERS = "data/voices/strangers"


def write_store(folder: Path, role: str | None, speakers: str, words: str = "01") -> str:
    """A store of one clip a word and speaker; its fingerprint."""
    clips = [
        Clip(
            utterance=f"{word}_{speaker}",
            path=f"{word}_{speaker}.wav",
            label=word,
            speaker=speaker,
            take=0,
            wav=audio.to_wav(tone(300 + 90 * int(word), 0.3, 16000, seed=ord(speaker)), 16000),
        )
        for word in words
        for speaker in speakers
    ]
    corpus = Corpus(
        name="extra_voices",
        title="",
        version="1",
        source="",
        licence="",
        synthetic=False,
        n_clips=len(clips),
        clips=iter(clips),
        audio_format=None,
        role=role,
    )
    folder.mkdir(parents=True)
    return write_corpus(corpus, folder)[1]


def dataset_of(folder: Path, labels: list[str]) -> Dataset:
    """Two clips each of train, validation and test, loud enough to be told from others."""
    write_store(folder, None, "abc")
    table = read_manifest(folder / "manifest.csv")
    n = len(table)
    x = np.full((n, *EXTRACTOR.shape), 100, np.int8)
    whole = Subset(
        x=x, n_frames=np.full(n, 9, np.int32), y=np.arange(n) % len(labels), rows=np.arange(n)
    )
    return Dataset(
        whole=whole,
        rows={
            name: np.flatnonzero(table["speaker"] == speaker)
            for name, speaker in zip(("train", "val", "test"), "abc", strict=True)
        },
        utterances=table["utterance"].tolist(),
        speakers=table["speaker"].tolist(),
        clips=clip_sources(folder / "audio.zip", table),
        labels=labels,
        description=EXTRACTOR.describe(),
        features_fingerprint="0",
        corpus={},
    )


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return dataset_of(tmp_path / "raw", ["0", "1"])


Add = Callable[[Dataset, Path, MfccInt, str], Dataset]
ADDING = {"train": with_voices, "strangers": with_strangers}


def test_voices_join_the_train_clips_and_no_others(dataset, tmp_path):
    fingerprint = write_store(tmp_path / "voices", "train", "xy")
    grown = with_voices(dataset, tmp_path / "voices", EXTRACTOR, fingerprint)
    assert grown.heard("train") == ["a", "x", "y"]
    assert {name: grown.heard(name) for name in ("val", "test")} == {"val": ["b"], "test": ["c"]}
    assert len(grown.whole) == len(grown.clips) == len(grown.utterances) == 10
    added = grown.rows["train"][2:]
    assert [grown.labels[y] for y in grown.whole.y[added]] == ["0", "0", "1", "1"]
    assert [grown.clips[row].path[:-4] for row in added] == [grown.utterances[r] for r in added]
    assert grown.whole.x.dtype == dataset.whole.x.dtype
    assert grown.fingerprint != dataset.fingerprint


def test_the_features_of_a_voice_are_those_of_its_recording(dataset, tmp_path):
    fingerprint = write_store(tmp_path / "voices", "train", "x")
    grown = with_voices(dataset, tmp_path / "voices", EXTRACTOR, fingerprint)
    samples = audio.resample(tone(390, 0.3, 16000, seed=ord("x")), 16000, 8000)
    x, n_frames = EXTRACTOR([audio.decode(audio.to_wav(samples, 8000), "1_x.wav")[0]])
    (row,) = [row for row, name in enumerate(grown.utterances) if name == "1_x"]
    assert grown.whole.n_frames[row] == n_frames[0]
    # The copy here was rounded to 16 bits once more.
    assert np.abs(grown.whole.x[row].astype(int) - x[0]).max() <= 2


@pytest.mark.parametrize("own", ADDING)
@pytest.mark.parametrize("role", ["train", "strangers", "test", None])
def test_each_role_is_taken_by_its_own_function_only(own, role, dataset, tmp_path):
    fingerprint = write_store(tmp_path / "store", role, "xy")
    if role == own:
        ADDING[own](dataset, tmp_path / "store", EXTRACTOR, fingerprint)
        return
    with pytest.raises(UserError, match=f"whose role is {role!r}, must be {own!r}"):
        ADDING[own](dataset, tmp_path / "store", EXTRACTOR, fingerprint)


def test_strangers_are_the_test_clips_and_nothing_is_fitted_on_them(dataset, tmp_path):
    voices = write_store(tmp_path / "voices", "train", "x")
    strangers = write_store(tmp_path / "strangers", "strangers", "yz")
    trained = with_voices(undivided(dataset), tmp_path / "voices", EXTRACTOR, voices)
    tested = with_strangers(trained, tmp_path / "strangers", EXTRACTOR, strangers)
    assert tested.heard("test") == ["y", "z"]
    assert tested.heard("train") == ["a", "b", "c", "x"]
    assert len(tested.rows["val"]) == 0
    np.testing.assert_array_equal(tested.rows["train"], trained.rows["train"])
    for before, after in zip(*(stats(d) for d in (trained, tested)), strict=True):
        np.testing.assert_array_equal(before, after)
    everybody = fit_normalisation(tested.whole, "per_coefficient")
    assert (everybody[0] != stats(tested)[0]).any(), "strangers too like the others to be noticed"


def stats(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return fit_normalisation(dataset.subset("train"), "per_coefficient")


def test_a_stranger_whom_the_corpus_knows_is_refused(dataset, tmp_path):
    fingerprint = write_store(tmp_path / "store", "strangers", "a", words="2")
    with pytest.raises(UserError, match="a is a speaker of the corpus too"):
        with_strangers(dataset, tmp_path / "store", EXTRACTOR, fingerprint)


@pytest.mark.parametrize("role", ADDING)
def test_a_recording_of_the_corpus_is_refused(role, dataset, tmp_path):
    fingerprint = write_store(tmp_path / "store", role, "c")
    with pytest.raises(UserError, match="0_c.wav is the same recording as 0_c.wav"):
        ADDING[role](dataset, tmp_path / "store", EXTRACTOR, fingerprint)


@pytest.mark.parametrize("role", ADDING)
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["ja", "nein"], r"none of their words \(0, 1\): set corpus.extra_voices to false"),
        (["0", "nein"], r"not their words \(1\): set corpus.extra_voices to false"),
    ],
)
def test_words_that_the_corpus_lacks_are_named(role, labels, message, tmp_path):
    fingerprint = write_store(tmp_path / "store", role, "xy")
    with pytest.raises(UserError, match=message):
        ADDING[role](
            dataset_of(tmp_path / "raw", labels), tmp_path / "store", EXTRACTOR, fingerprint
        )


def remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def cut_archive(folder: Path) -> None:
    (folder / "audio.zip").write_bytes((folder / "audio.zip").read_bytes()[:-300])


def cut_manifest(folder: Path) -> None:
    (folder / "manifest.csv").write_text("utterance,path\n")


def other_clips(folder: Path) -> None:
    content = json.loads((folder / "provenance.json").read_text())
    (folder / "provenance.json").write_text(json.dumps({**content, "fingerprint": "0" * 64}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove, "holds no extra voices: make it with `dvc repro studies/dvc.yaml:voices`"),
        (cut_archive, "audio.zip .*`dvc repro --force studies/dvc.yaml:voices`"),
        (cut_manifest, "manifest.csv .*`dvc repro --force studies/dvc.yaml:voices`"),
        (other_clips, "provenance.json .*`dvc repro --force studies/dvc.yaml:voices`"),
    ],
)
def test_a_missing_or_damaged_store_is_one_line(damage, message, dataset, tmp_path):
    fingerprint = write_store(tmp_path / "store", "train", "xy")
    damage(tmp_path / "store")
    with pytest.raises(UserError, match=message) as caught:
        with_voices(dataset, tmp_path / "store", EXTRACTOR, fingerprint)
    assert "download" not in str(caught.value)


def test_other_voices_than_those_planned_are_refused(dataset, tmp_path):
    write_store(tmp_path / "store", "train", "xy")
    with pytest.raises(UserError, match="holds other clips than those meant"):
        with_voices(dataset, tmp_path / "store", EXTRACTOR, "0" * 64)


def stages() -> Iterator[tuple[str, dict]]:
    """Names of the stages, and what they do."""
    for file in ("dvc.yaml", "studies/dvc.yaml", "studies/ablation/dvc.yaml"):
        for name, stage in yaml.safe_load((REPOSITORY / file).read_text())["stages"].items():
            yield name, stage.get("do", stage)


def covers(dependency: str) -> bool:
    """Whether a dependency is the strangers' store, part of it, or a folder that holds it."""
    path = Path(dependency)
    return path.is_relative_to(STRANGERS) or Path(STRANGERS).is_relative_to(path)


def test_only_the_stage_strangers_depends_on_strangers():
    commands = {
        name: stage["cmd"] for name, stage in stages() if any(map(covers, stage.get("deps", ())))
    }
    assert sorted(commands) == ["strangers", "strangers_with_spoken"]
    assert all(command.startswith("python stages/strangers.py ") for command in commands.values())
    makers = {
        name
        for name, stage in stages()
        for out in stage.get("outs", ())
        if covers(out if isinstance(out, str) else next(iter(out)))
    }
    assert makers == {"voices"}


def sources() -> Iterator[Path]:
    for folder in ("spoken_digits", "stages", "benchmarks", "docs"):
        yield from sorted((REPOSITORY / folder).rglob("*.py"))


def names_the_store(tree: ast.AST) -> bool:
    """Whether code spells out the path of the store, in one text or in parts."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            del node.body[0]
    parts = [
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for part in node.value.split("/")
    ]
    return "voices" in parts and "strangers" in parts


def test_only_two_scripts_name_the_strangers_store():
    found = [
        str(path.relative_to(REPOSITORY))
        for path in sources()
        if names_the_store(ast.parse(path.read_text()))
    ]
    assert found == ["stages/strangers.py", "stages/voices.py"]


def test_only_the_stage_strangers_adds_strangers_and_only_after_it_has_trained():
    users = [path for path in sources() if "with_strangers" in path.read_text()]
    names = [str(path.relative_to(REPOSITORY)) for path in users]
    assert names == ["spoken_digits/data/voices.py", "stages/strangers.py"]
    (main,) = [
        node
        for node in ast.parse(users[1].read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name == "main"
    ]
    lines = {
        ast.unparse(node.func): node.lineno for node in ast.walk(main) if isinstance(node, ast.Call)
    }
    assert lines["study.train"] < lines["with_strangers"]
