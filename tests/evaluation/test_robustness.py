"""Which clips are distorted, who babbles, and the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recordings import tone

from spoken_digits.audio import to_wav
from spoken_digits.errors import UserError
from spoken_digits.evaluation.report import robustness as picture
from spoken_digits.evaluation.robustness import Talkers, TestClips

WORDS, SPEAKERS, TAKES = ("yes", "no"), ("ann", "ben", "cleo"), 6


class Archive:
    """Remembers which clips were read."""

    def __init__(self) -> None:
        self.were_read: set[str] = set()

    def read(self, name: str, digest: str) -> bytes:
        self.were_read.add(name)
        seed = sum(name.encode())
        return to_wav(tone(300 + seed % 500, 0.2, 8000, seed), 8000)


@pytest.fixture
def archive() -> Archive:
    return Archive()


def corpus(speakers: tuple[str, ...] = SPEAKERS) -> pd.DataFrame:
    rows = [
        {"utterance": f"{word}_{speaker}_{take}", "label": word, "speaker": speaker}
        for word in WORDS
        for speaker in speakers
        for take in range(TAKES)
    ]
    table = pd.DataFrame(rows)
    return table.assign(path=table["utterance"] + ".wav", sha256="")


def every_third(manifest: pd.DataFrame) -> np.ndarray:
    return np.arange(len(manifest))[1::3]


def test_babble_is_of_other_test_speakers_and_of_no_train_clip(archive):
    manifest = corpus()
    clips = TestClips(archive, manifest, every_third(manifest))
    talkers = Talkers(clips, 2)
    for position in range(len(clips)):
        clip = clips.read(position)
        for seed in range(20):
            drawn = talkers.drawn(clip, np.random.default_rng(seed))
            speakers = [clips.speakers[i] for i in drawn]
            assert sorted(speakers) == sorted(set(SPEAKERS) - {clip.speaker})
        assert talkers(clip, np.random.default_rng(0)).size == clip.samples.size
    test_paths = set(manifest["path"].iloc[every_third(manifest)])
    assert archive.were_read <= test_paths
    assert len(archive.were_read) > 6


def test_more_talkers_than_speakers_speak_more_than_once(archive):
    manifest = corpus()
    clips = TestClips(archive, manifest, every_third(manifest))
    drawn = Talkers(clips, 5).drawn(clips.read(0), np.random.default_rng(0))
    assert len(drawn) == 5
    assert clips.read(0).speaker not in {clips.speakers[i] for i in drawn}


def test_one_speaker_babbles_against_itself_but_not_with_the_same_clip(archive):
    manifest = corpus(("ann",))
    clips = TestClips(archive, manifest, every_third(manifest))
    talkers = Talkers(clips, 2)
    assert not talkers.are_others
    for position in range(len(clips)):
        for seed in range(20):
            drawn = talkers.drawn(clips.read(position), np.random.default_rng(seed))
            assert position not in drawn
            assert len(set(drawn)) == 2


def test_a_single_test_clip_allows_no_babble(archive):
    with pytest.raises(UserError, match="only one"):
        Talkers(TestClips(archive, corpus(), np.array([3])), 2)


def test_fewer_clips_are_spread_over_words_and_speakers(archive):
    manifest = corpus()
    clips = TestClips(archive, manifest, np.arange(len(manifest)))
    groups = len(WORDS) * len(SPEAKERS)
    for rounds in (1, 2, 5):
        chosen = clips.spread(groups * rounds)
        counts = manifest.iloc[chosen].groupby(["label", "speaker"]).size()
        assert (counts == rounds).all()
        assert len(counts) == groups
        assert (np.diff(chosen) > 0).all()
        assert set(chosen) <= set(clips.spread(groups * rounds + 3))
    assert (clips.spread(10_000) == np.arange(len(manifest))).all()


def test_the_choice_depends_on_the_names_alone(archive):
    manifest = corpus()
    rows = np.arange(len(manifest))
    backwards = manifest.iloc[::-1].reset_index(drop=True)
    chosen = TestClips(archive, manifest, rows).spread(8)
    others = TestClips(archive, backwards, rows).spread(8)
    assert set(manifest["utterance"][chosen]) == set(backwards["utterance"][others])


def rows_of(model: str, corpus: str = "fsdd 1") -> list[dict]:
    levels = {"clean": [""], "babble": ["10", "0"], "speed": ["0.8", "1.25"], "mu_law": [""]}
    return [
        {
            "model": model,
            "condition": condition,
            "level": level,
            "accuracy": 0.5,
            "n": 60,
            "corpus": corpus,
        }
        for condition, of_condition in levels.items()
        for level in of_condition
    ]


def draw(path: Path, rows: list[dict]) -> bytes:
    picture.draw(path, pd.DataFrame(rows))
    return path.read_bytes()


def test_the_picture_has_the_same_bytes_every_time(tmp_path):
    rows = rows_of("lstm") + rows_of("lstm.int8")
    one, two = (draw(tmp_path / name, rows) for name in ("one.png", "two.png"))
    assert one == two
    assert one.startswith(b"\x89PNG")


def test_the_picture_warns_of_different_corpora():
    same = pd.DataFrame(rows_of("lstm") + rows_of("cnn"))
    mixed = pd.DataFrame(rows_of("lstm") + rows_of("cnn", "espeak, synthetic speech"))
    assert picture._title(same) == "Accuracy on distorted test clips of fsdd 1"
    assert picture._title(mixed).startswith("DIFFERENT CORPORA: fsdd 1, espeak")


def test_clips_as_recorded_stand_at_speed_one():
    assert picture._with_clean("speed", ["0.8", "0.9", "1.1"]) == ["0.8", "0.9", "", "1.1"]
    assert picture._with_clean("babble", ["10", "0"]) == ["", "10", "0"]


def test_schemes_have_the_colour_of_their_model_and_a_dash_of_their_own():
    models = ["lstm", "lstm.int8", "lstm.pow2", "cnn"]
    styles = [picture._style(models, model) for model in models]
    colours = [style["color"] for style in styles]
    assert colours[0] == colours[1] == colours[2] != colours[3]
    assert len({style["linestyle"] for style in styles[:3]}) == 3
