"""Words that nobody recorded: which answers count as right, and whose."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest
from said import figures, right_of, write_people

from spoken_digits.data.clips import Clip, write_archive
from spoken_digits.errors import UserError

PEOPLE = pd.DataFrame(
    {
        "file": ["go_ann_0.wav", "go_bob_0.wav", "stop_ann_0.wav", "stop_ann_1.wav"],
        "label": ["go", "go", "stop", "stop"],
        "speaker": ["ann", "bob", "ann", "ann"],
    }
)


def test_answers_are_found_by_file_in_any_order():
    answers = (
        "file,word,word_1,probability_1\n"
        "people/stop_ann_1.wav,stop,stop,0.9\n"
        "people/go_bob_0.wav,,go,0.4\n"  # rejected
        "people/stop_ann_0.wav,go,go,0.8\n"
        "people/go_ann_0.wav,go,go,0.7\n"
    )
    assert right_of(answers, PEOPLE).tolist() == [True, False, False, True]


def test_a_recording_without_an_answer_is_no_mistake_of_the_model():
    with pytest.raises(ValueError, match=r"no answer for go_bob_0\.wav, stop_ann_0\.wav"):
        right_of("file,word\npeople/go_ann_0.wav,go\npeople/stop_ann_1.wav,stop\n", PEOPLE)


def test_figures_are_means_over_seeds_of_all_recordings():
    right = pd.DataFrame({42: [True, True, True, False], 43: [True, False, True, False]})
    found = figures(right, PEOPLE)
    assert found["by_seed"] == [0.75, 0.5]
    assert found["accuracy"] == 0.625
    assert found["std"] == pytest.approx(0.125 * 2**0.5, abs=1e-6)
    assert found["per_word"] == {"go": 0.75, "stop": 0.5}
    assert found["per_speaker"] == {"ann": 0.666667, "bob": 0.5}
    assert found["accuracy_ci_low"] == 0.5  # bob alone
    assert found["accuracy_ci_high"] == 0.666667  # ann alone


@pytest.fixture
def store(tmp_path):
    """Other speech: two words and a phrase."""
    rows = [
        ("go_ann_0", "go", "word"),
        ("go_on_ann_0", "go", "phrase"),
        ("tree_ann_0", "tree", "word"),
    ]
    folder = tmp_path / "store"
    folder.mkdir()
    clips = [
        Clip(
            utterance=name,
            path=f"{name}.wav",
            label=label,
            speaker="ann",
            take=0,
            wav=name.encode(),
        )
        for name, label, _ in rows
    ]
    for _ in write_archive(folder / "audio.zip", clips):
        pass
    pd.DataFrame(
        {
            "utterance": [clip.utterance for clip in clips],
            "path": [clip.path for clip in clips],
            "label": [clip.label for clip in clips],
            "speaker": "ann",
            "take": 0,
            "sample_rate": 8000,
            "n_samples": 100,
            "sha256": [hashlib.sha256(clip.wav).hexdigest() for clip in clips],
            "kind": [kind for _, _, kind in rows],
        }
    ).to_csv(folder / "manifest.csv", index=False)
    return folder


def test_words_are_written_and_phrases_are_not(store, tmp_path):
    people = write_people(store, tmp_path / "people", ["go"])
    assert people["file"].tolist() == ["go_ann_0.wav"]
    assert people["label"].tolist() == ["go"]
    assert [path.name for path in (tmp_path / "people").iterdir()] == ["go_ann_0.wav"]
    assert (tmp_path / "people/go_ann_0.wav").read_bytes() == b"go_ann_0"


def test_a_word_that_nobody_says_is_named(store, tmp_path):
    with pytest.raises(UserError, match="has no recording of stop, yes: bring other-speech"):
        write_people(store, tmp_path / "people", ["go", "yes", "stop"])
