"""Manifest, archive, features and provenance edited outside the pipeline."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frontend_spec import committed_spec

from spoken_digits.data.clips import Clip, ClipArchive, write_archive
from spoken_digits.data.dataset import fit_normalisation
from spoken_digits.data.loading import load_dataset
from spoken_digits.data.manifest import COLUMNS, read_manifest, write_manifest
from spoken_digits.data.provenance import fingerprint
from spoken_digits.data.store import describe
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import check_finite, check_fits
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.io.files import sha256
from spoken_digits.models.card import ModelCard

EXTRACTOR = MfccInt(committed_spec())
LABELS = ["ja", "nein"]
SUBSETS = ["train", "train", "train", "val", "test"]


@pytest.fixture
def data(tmp_path) -> Path:
    """Ten clips, as the stages leave them."""
    clips = [
        Clip(
            utterance=f"{label}_{take}",
            path=f"{label}_{take}.wav",
            label=label,
            speaker="anna",
            take=take,
            wav=f"{label} {take}".encode(),
        )
        for label in LABELS
        for take in range(5)
    ]
    (tmp_path / "raw").mkdir()
    assert len(list(write_archive(tmp_path / "raw" / "audio.zip", clips))) == 10
    rows = [
        {"sample_rate": 8000, "n_samples": 4000, "sha256": sha256(clip.wav)}
        | {key: getattr(clip, key) for key in ("utterance", "path", "label", "speaker", "take")}
        for clip in clips
    ]
    manifest = pd.DataFrame(rows)[COLUMNS]
    write_manifest(tmp_path / "raw" / "manifest.csv", manifest)
    provenance = {
        "corpus": "folder",
        "version": "",
        "source": "",
        "licence": "",
        "synthetic": False,
        "fingerprint": fingerprint(manifest),
        "speaker_folds": None,
        "official_test_takes": None,
    }
    (tmp_path / "raw" / "provenance.json").write_text(json.dumps(provenance))
    write_split(tmp_path, SUBSETS)
    folder = tmp_path / "features" / "mfcc_int"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    np.save(folder / "x.npy", rng.integers(-90, 90, (10, 36, 13)).astype(np.int8))
    np.save(folder / "n_frames.npy", np.full(10, 20, np.int32))
    (folder / "features.json").write_text(json.dumps(describe(EXTRACTOR.describe(), manifest)))
    return tmp_path


def write_split(data: Path, subsets: list[str]) -> None:
    utterances = [f"{label}_{take}" for label in LABELS for take in range(5)]
    table = pd.DataFrame({"utterance": utterances, "subset": 2 * subsets})
    table.to_csv(data / "split.csv", index=False)


def card_of(data: Path, **changes) -> ModelCard:
    dataset = load_dataset(data, "mfcc_int")
    card = ModelCard(
        name="tiny",
        architecture={"name": "lstm"},
        labels=dataset.labels,
        features=dataset.description,
        input_shape=dataset.input_shape,
        mean=[0.0],
        std=[1.0],
        best_epoch=1,
        corpus=dataset.corpus,
        split=dataset.split,
    )
    return dataclasses.replace(card, **changes)


def test_outputs_of_the_stages_are_readable(data):
    dataset = load_dataset(data, "mfcc_int")
    assert [len(dataset.subset(name)) for name in ("train", "val", "test")] == [6, 2, 2]
    check_fits(card_of(data), Path("m"), dataset)


def test_a_dataset_knows_whose_recording_each_row_is_and_where_it_lies(data):
    dataset = load_dataset(data, "mfcc_int")
    assert dataset.speakers == ["anna"] * 10
    for utterance, clip in zip(dataset.utterances, dataset.clips, strict=True):
        found = ClipArchive(clip.archive).read(clip.path, clip.sha256)
        assert found == utterance.replace("_", " ").encode()
        assert (clip.sample_rate, clip.n_samples) == (8000, 4000)


MANIFEST = {
    "empty file": lambda text: "",
    "no rows": lambda text: text.splitlines()[0],
    "no text": lambda text: "\udcff" + text,
    "a column missing": lambda text: text.replace("take,", "taken,"),
    "a value more": lambda text: text.replace("ja_0,", "ja_0,ja_0,", 1),
    "a value more in every row": lambda text: text.replace(",anna,", ",anna,anna,"),
    "a value less": lambda text: text.replace(",anna,", ",", 1),
    "cut in a row": lambda text: text[:-70],
    "an open quote": lambda text: text.replace("ja_0,", '"ja_0,', 1),
    "label empty": lambda text: text.replace(",ja,", ",,", 1),
    "speaker empty": lambda text: text.replace(",anna,", ",,", 1),
    "take a word": lambda text: text.replace(",anna,0,", ",anna,first,", 1),
    "take a fraction": lambda text: text.replace(",anna,0,", ",anna,0.5,", 1),
    "sample_rate 0": lambda text: text.replace(",8000,", ",0,", 1),
    "sample_rate negative": lambda text: text.replace(",8000,", ",-8000,", 1),
    "sample_rate huge": lambda text: text.replace(",8000,", f",{10**10},", 1),
    "sample_rate nan": lambda text: text.replace(",8000,", ",nan,", 1),
    "n_samples 0": lambda text: text.replace(",4000,", ",0,", 1),
    "n_samples beyond 64 bits": lambda text: text.replace(",4000,", f",{10**30},", 1),
    "digest short": lambda text: text[:-10] + "\n",
    "digest no hex": lambda text: text[:-3] + "zz\n",
    "a clip twice": lambda text: text + text.splitlines()[-1] + "\n",
    "utterance twice": lambda text: text.replace("ja_1,ja_1.wav", "ja_0,ja_1.wav"),
    "path twice": lambda text: text.replace("ja_1,ja_1.wav", "ja_1,ja_0.wav"),
}


@pytest.mark.parametrize("case", MANIFEST)
def test_a_damaged_manifest_is_one_line(case, data):
    path = data / "raw" / "manifest.csv"
    text = MANIFEST[case](path.read_text())
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"manifest.csv is damaged .*download"):
        read_manifest(path)


def put(key, value):
    """Edit of a JSON object."""
    return lambda content: content.update({key: value})


def save(name, change):
    """Edit of an array of the features."""

    def edit(folder: Path) -> None:
        np.save(folder / name, change(np.load(folder / name)))

    return edit


def set_valid(value):
    def change(n_frames):
        n_frames[3] = value
        return n_frames

    return save("n_frames.npy", change)


def lie_about_size(folder: Path) -> None:
    content = (folder / "n_frames.npy").read_bytes()
    (folder / "n_frames.npy").write_bytes(
        content.replace(b"(10,), }" + 9 * b" ", b"(10000000000,), }", 1)
    )


def save_archive(folder: Path) -> None:
    with (folder / "x.npy").open("wb") as file:
        np.savez(file, a=1)


FEATURES = {
    "x empty": lambda folder: (folder / "x.npy").write_bytes(b""),
    "x no array": lambda folder: (folder / "x.npy").write_bytes(b"hello" * 99),
    "x cut": lambda folder: (folder / "x.npy").write_bytes((folder / "x.npy").read_bytes()[:900]),
    "x an archive": save_archive,
    "x of objects": lambda folder: np.save(folder / "x.npy", np.array([{}]), allow_pickle=True),
    "x of texts": save("x.npy", lambda x: x.astype(str)),
    "x of complex numbers": save("x.npy", lambda x: x.astype(complex)),
    "x flat": save("x.npy", lambda x: x.reshape(10, -1)),
    "x one clip less": save("x.npy", lambda x: x[1:]),
    "x without frames": save("x.npy", lambda x: x[:, :0]),
    "n_frames empty": lambda folder: (folder / "n_frames.npy").write_bytes(b""),
    "n_frames lies about its size": lie_about_size,
    "n_frames one less": save("n_frames.npy", lambda n: n[1:]),
    "n_frames fractions": save("n_frames.npy", lambda n: n.astype(float)),
    "n_frames a column": save("n_frames.npy", lambda n: n[:, None]),
    "n_frames 0": set_valid(0),
    "n_frames negative": set_valid(-5),
    "n_frames too many": set_valid(37),
}


@pytest.mark.parametrize("case", FEATURES)
def test_damaged_features_are_one_line(case, data):
    FEATURES[case](data / "features" / "mfcc_int")
    with pytest.raises(UserError, match="mfcc_int is damaged .*feature_extract"):
        load_dataset(data, "mfcc_int")


@pytest.mark.parametrize(
    ("file", "edit", "message"),
    [
        ("features/mfcc_int/features.json", put("kind", "mfcc"), "of kind 'mfcc'"),
        ("features/mfcc_int/features.json", put("kind", None), "of kind None"),
        ("features/mfcc_int/features.json", put("corpus_sha256", "0"), "of another corpus"),
        ("raw/provenance.json", put("fingerprint", "0" * 64), "is of other recordings"),
        ("raw/provenance.json", put("fingerprint", 5), "fingerprint"),
        ("raw/provenance.json", put("synthetic", "no"), "synthetic"),
        ("raw/provenance.json", lambda content: content.pop("version"), "version"),
        ("raw/provenance.json", put("speaker_folds", "none"), "speaker_folds"),
    ],
)
def test_damaged_descriptions_are_one_line(file, edit, message, data):
    content = json.loads((data / file).read_text())
    edit(content)
    (data / file).write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        load_dataset(data, "mfcc_int")


def test_features_that_are_not_numbers_are_refused(data):
    subset = load_dataset(data, "mfcc_int").subset("train")
    x = np.array(subset.x, np.float32)
    x[subset.rows[0], 0, 0] = np.nan
    with pytest.raises(UserError, match="NaN or infinity"):
        fit_normalisation(dataclasses.replace(subset, x=x), "scalar")


def test_a_clip_that_is_not_the_manifests_is_refused(data):
    path = data / "raw" / "audio.zip"
    archive, digest = ClipArchive(path), sha256(b"ja 0")
    assert archive.read("ja_0.wav", digest) == b"ja 0"
    with pytest.raises(UserError, match="ja_1.wav is not the recording that the manifest lists"):
        archive.read("ja_1.wav", digest)


@pytest.mark.parametrize("flag", [6, 8])
def test_an_odd_entry_of_the_archive_is_one_line(flag, data):
    """An encrypted entry, and one of an unknown compression."""
    path = data / "raw" / "audio.zip"
    content = bytearray(path.read_bytes())
    for signature, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        content[content.index(signature) + shift + flag] = {6: 1, 8: 99}[flag]
    path.write_bytes(content)
    with pytest.raises(UserError, match="ja_0.wav is damaged"):
        ClipArchive(path).read("ja_0.wav", sha256(b"ja 0"))


def test_a_compressed_clip_is_not_unpacked(data):
    path = data / "raw" / "audio.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ja_0.wav", bytes(10**8))
    with pytest.raises(UserError, match="it is compressed"):
        ClipArchive(path).read("ja_0.wav", "")


def test_a_model_of_another_split_is_not_measured(data):
    card = card_of(data)
    write_split(data, ["test", "train", "train", "val", "train"])
    with pytest.raises(UserError, match="was trained on another split.*dvc repro train@tiny"):
        check_fits(card, Path("models/tiny.safetensors"), load_dataset(data, "mfcc_int"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": None}, "does not say which clips it was trained on"),
        ({"input_shape": (35, 13)}, r"reads clips of \(35, 13\)"),
        ({"corpus": {"corpus": "fsdd", "fingerprint": "0"}}, r"other recordings \(fsdd\)"),
        ({"labels": ["ja", "no"]}, "was trained on the words ja, no"),
    ],
)
def test_a_model_of_another_corpus_is_not_measured(changes, message, data):
    with pytest.raises(UserError, match=message):
        check_fits(card_of(data, **changes), Path("m"), load_dataset(data, "mfcc_int"))


def test_every_split_has_its_own_fingerprint(data):
    """Train 012, val 34 is not train 01, val 234; nor do words change unnoticed."""
    found = set()
    for subsets in (SUBSETS, ["train", "train", "val", "val", "test"], SUBSETS[::-1]):
        write_split(data, subsets)
        found.add(load_dataset(data, "mfcc_int").split)
    path = data / "raw" / "manifest.csv"
    path.write_text(path.read_text().replace("ja_0.wav,ja,", "ja_0.wav,nein,"))
    found.add(load_dataset(data, "mfcc_int").split)
    assert len(found) == 4


def test_logits_that_are_not_numbers_are_not_measured():
    check_finite(np.zeros((2, 3)))
    with pytest.raises(UserError, match="NaN or infinity on some clips"):
        check_finite(np.array([[0.0, np.nan]]))
