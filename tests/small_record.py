"""A small checkout with everything that the report reads, for tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from recordings import REPOSITORY, tone
from safetensors.numpy import save_file

from spoken_digits import audio
from spoken_digits.data.clips import Clip, write_archive
from spoken_digits.data.manifest import COLUMNS
from spoken_digits.data.store import describe
from spoken_digits.evaluation import rejection
from spoken_digits.evaluation.folds import over_speakers, over_strangers
from spoken_digits.features.log_mel import LogMel
from spoken_digits.io.files import sha256

WORDS = ("no", "stop", "yes")
SPEAKERS = ("ann", "bo")
TAKES = 4
CORPUS = "words 2"
RIGHT = {"ann": 12, "bo": 9}
"""Of twelve clips each, those that the float network recognises; bo's mistakes are three."""


def heard(scores: list[float]) -> rejection.Heard:
    """Clips in which a model hears its first word, with these probabilities."""
    n = len(scores)
    return rejection.Heard(
        score=np.array(scores), word=np.zeros(n, np.int64), speakers=np.array(["ann"] * n)
    )


class SmallRecord:
    """A folder like a checkout after `dvc repro` and `make crossval`."""

    def __init__(self, root: Path, *, synthetic: bool = False, words: tuple[str, ...] = WORDS):
        self.root, self.words = root, words
        self.corpus = CORPUS + (", synthetic speech" if synthetic else "")
        self._write_params()
        self._write_corpus()
        self._write_metrics(synthetic)
        self._write_plots()
        self.write_predictions()
        self._write_model()

    def json(self, name: str, content: Mapping[str, Any]) -> None:
        self._text(name, json.dumps(content))

    def csv(self, name: str, table: pd.DataFrame) -> None:
        self._text(name, table.to_csv(index=False))

    def write_predictions(self, right: Mapping[str, int] = RIGHT, run: str = "1") -> None:
        """Folds of `small` with so many right clips of each speaker, and their summary."""
        runs = {}
        for fold, speaker in enumerate(SPEAKERS):
            own = self.manifest[self.manifest["speaker"] == speaker]
            said = own["label"].to_numpy(copy=True).astype(object)
            for i in range(len(said) - right[speaker]):
                said[i] = self.words[(self.words.index(said[i]) + 1) % len(self.words)]
            table = own[["utterance", "speaker"]].assign(
                actual=own["label"], chosen_by="", float32=said, int8=own["label"]
            )
            self.csv(f"studies/predictions/speaker/small-{fold}-{run}.csv", table)
            runs[fold, 1] = table
        figures, _ = over_speakers("small", runs)
        whole = {
            name: {**row, "seeds": [1], "corpus": self.corpus} for name, row in figures.items()
        }
        self.json("metrics/crossval.json", whole)
        strangers = over_strangers("small", {1: runs[1, 1]})
        self.json(
            "metrics/strangers.json",
            {name: {**row, "seeds": [1], "corpus": self.corpus} for name, row in strangers.items()},
        )

    def write_other_sounds(self) -> None:
        """What stages `reject` and `detect` record of `small`."""
        opened = {name: {"variant": "small"} for name in ("small_open", "small_other")}
        self._write_params(corpus={"rejection": {"models": opened}})
        points = rejection.figures(
            rejection.Known(heard=heard([0.95] * 8 + [0.65, 0.9]), right=np.arange(10) < 9),
            {"noise": heard([0.8] + [0.3] * 7)},
            validation=heard([0.75] + [0.7] * 2 + [0.2] * 17),
        )
        row = {"small": {"model_sha256": "0", "corpus": self.corpus, **points}}
        self.json("metrics/rejection/small_open.json", row)
        curve = [(1.0, 0.1), (0.125, 0.2), (0.0, 1.0)]
        table = pd.DataFrame(curve, columns=["false_accepts", "misses"])
        for name in opened:
            rows = table.assign(model="small", group="noise")
            self.csv(f"plots/rejection/{name}.csv", rows)
        words = {"n": 50, "hit_rate": 0.9375, "wrong_rate": 0.0625}
        noise = {"n": 3, "hours": 2.0, "per_hour": 1.5}
        noise |= {"per_hour_ci_low": 0.31, "per_hour_ci_high": 4.38}
        phrases = {"n": 70, "false_accepts": 11, "minutes": 9.5}
        found = {"words": words, "noise": noise, "phrases": phrases}
        detector = {"threshold": 0.625, "latency_ms": 321.0, "corpus": self.corpus, **found}
        self.json("metrics/detector.json", {"small.int8": detector})

    def _text(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def _write_params(self, **further: Any) -> None:
        defaults = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
        params = {
            "features": defaults["features"],
            "variants": {"small": {"architecture": "ds_cnn", "features": "log_mel"}},
            **further,
        }
        self._text("params.yaml", yaml.safe_dump(params, sort_keys=False))

    def _clips(self) -> Iterator[Clip]:
        for w, word in enumerate(self.words):
            for speaker in SPEAKERS:
                for take in range(TAKES):
                    # One clip is longer than what is heard, 0.6875 s.
                    seconds = 0.9 if (w, speaker, take) == (0, "bo", 0) else 0.3
                    wave = tone(400 * (w + 1), seconds, seed=take)
                    name = f"{w}_{word}_{speaker}_{take}"
                    yield Clip(
                        utterance=name,
                        path=f"{w}_{speaker}_{take}.wav",
                        label=word,
                        speaker=speaker,
                        take=take,
                        wav=audio.to_wav(wave, 8000),
                    )

    def _write_corpus(self) -> None:
        raw = self.root / "data" / "raw"
        raw.mkdir(parents=True)
        rows, waves = [], []
        for clip in write_archive(raw / "audio.zip", self._clips()):
            wave, _ = audio.decode(clip.wav, clip.path)
            waves.append(wave)
            named = (clip.utterance, clip.path, clip.label, clip.speaker, clip.take)
            rows.append((*named, 8000, len(wave), sha256(clip.wav)))
        self.manifest = pd.DataFrame(rows, columns=COLUMNS)
        self.csv("data/raw/manifest.csv", self.manifest)
        subset = np.select(
            [self.manifest["take"] == 0, self.manifest["take"] == 1], ["test", "val"], "train"
        )
        self.csv("data/split.csv", self.manifest[["utterance"]].assign(subset=subset))
        self.tested = self.manifest[subset == "test"]
        features = self.root / "data" / "features" / "log_mel"
        features.mkdir(parents=True)
        params = yaml.safe_load((self.root / "params.yaml").read_text())["features"]
        extractor = LogMel.from_description(
            {"kind": "log_mel", "sample_rate": 8000, **params["log_mel"]}, "params.yaml"
        )
        x, n_frames = extractor(waves)
        np.save(features / "x.npy", x)
        np.save(features / "n_frames.npy", n_frames)
        self.json(
            "data/features/log_mel/features.json", describe(extractor.describe(), self.manifest)
        )

    def _write_metrics(self, synthetic: bool) -> None:
        self.json(
            "metrics/corpus.json",
            {
                "corpus": "words",
                "title": "Words of the House",
                "version": "2",
                "synthetic": synthetic,
                "licence": "none",
                "n_clips": len(self.manifest),
                "n_speakers": len(SPEAKERS),
                "n_words": len(self.words),
                "split": {
                    "scheme": "random",
                    "fold": 0,
                    "train": 12,
                    "val": 6,
                    "test": 6,
                    "test_speakers": 2,
                    "test_speakers_in_train": 2,
                },
            },
        )
        figures = {
            "accuracy": 5 / 6,
            "accuracy_ci_low": 0.44,
            "accuracy_ci_high": 0.97,
            "n_test": 6,
            "parameters": 1000,
            "size_kib": 4.0,
            "multiply_accumulates": 4321,
            "best_epoch": 2,
            "corpus": self.corpus,
        }
        self.json("metrics/small.json", figures)
        integer = {
            "size_kib": 1.25,
            "accuracy_drop": 0.0,
            "agreement": 1.0,
            "parameter_bytes": 1280,
        }
        self.json("metrics/small.int8.json", figures | integer)
        cost = dict.fromkeys(
            (
                "recogniser_flash_bytes",
                "recogniser_ram_bytes",
                "stack_bytes",
                "instructions_m0",
                "instructions_m3",
                "frontend_instructions_m0",
                "frontend_instructions_m3",
                "recogniser_instructions_m0",
            ),
            2_000_000,
        )
        self.json("metrics/cortex_m/small.int8.json", {**cost, "mismatches": 0})
        seeds = {"mean": 0.9, "std": 0.02, "values": [0.88, 0.92], "seeds": [1, 2]}
        self.json("metrics/seeds.json", {"small": {**seeds, "corpus": self.corpus}})
        self.json("docs/record.json", {"processor": "A processor", "date": "2026-01-02"})

    def _write_plots(self) -> None:
        actual = self.tested["label"].to_numpy()
        predicted = actual.copy()
        predicted[0] = actual[-1]
        self.csv(
            "plots/confusion/small.csv",
            pd.DataFrame({"actual": actual, "predicted": predicted, "corpus": self.corpus}),
        )
        self.csv(
            "plots/curves/small.csv",
            pd.DataFrame(
                {
                    "epoch": [1, 2, 3],
                    "train_accuracy": [0.3, 0.6, 0.9],
                    "val_accuracy": [0.2, 0.8, 0.7],
                }
            ),
        )
        levels = [("clean", "", 0.9), ("babble", "20", 0.89), ("babble", "10", 0.8)]
        levels += [("babble", "0", 0.3), ("telephone", "", 0.88)]
        for name in ("small", "small.int8"):
            table = pd.DataFrame(levels, columns=["condition", "level", "accuracy"])
            table = table.assign(model=name, n=6, corpus=self.corpus)
            self.csv(f"plots/robustness/{name}.csv", table)

    def _write_model(self) -> None:
        card = {"architecture": {"name": "ds_cnn"}, "heard": list(SPEAKERS), "n_heard": 2}
        path = self.root / "models" / "small.safetensors"
        path.parent.mkdir()
        save_file({"w": np.zeros(1)}, path, {"spoken_digits": json.dumps(card)})
