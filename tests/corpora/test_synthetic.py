"""The synthetic corpus is reproducible, well formed, and really is spoken digits."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.corpora import espeak_worker, synthetic
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError

N_BANDS, N_STEPS = 20, 12
N_TAKES = 8


@pytest.fixture(scope="module")
def corpus() -> list[Clip]:
    """Six speakers, ten digits, eight takes."""
    return make("fsdd", limit=6 * 10 * N_TAKES)


def make(profile: str, limit: int | None, seed: int = 0, workers: int | None = None) -> list[Clip]:
    return list(synthetic.clips(profile=profile, seed=seed, limit=limit, workers=workers))


def waveform(clip: Clip) -> NDArray[np.float64]:
    return audio.decode(clip.wav, clip.path)[0].astype(np.float64)


@functools.cache
def picture(clip: Clip) -> NDArray[np.float64]:
    """Log power in bands over the clip's time, from start to end, (N_STEPS * N_BANDS,)."""
    samples = waveform(clip)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 256)[::80] * np.hanning(256)
    power = np.abs(np.fft.rfft(frames)) ** 2  # (n_frames, 129)
    bands = np.log([part.mean(axis=1) + 1e-9 for part in np.array_split(power[:, 2:], N_BANDS, 1)])
    steps = [part.mean(axis=1) for part in np.array_split(bands, N_STEPS, axis=1)]
    log_power: NDArray[np.float64] = np.array(steps)  # (N_STEPS, N_BANDS)
    return (log_power - log_power.mean()).ravel()  # loudness does not count


def accuracy(train: list[Clip], test: list[Clip]) -> float:
    """Accuracy of a nearest-neighbour classifier."""
    known = np.array([picture(clip) for clip in train])
    right = [
        train[int(np.argmin(np.sum((known - picture(clip)) ** 2, axis=1)))].label == clip.label
        for clip in test
    ]
    return sum(right) / len(right)


class TestReproducible:
    def test_every_byte_is_the_same_in_every_run_with_any_number_of_processes(self) -> None:
        assert make("quick", limit=60, workers=1) == make("quick", limit=60, workers=3)

    def test_another_seed_gives_other_sounds_under_the_same_names(self) -> None:
        one, other = make("quick", limit=10, seed=0), make("quick", limit=10, seed=1)
        assert [clip.path for clip in one] == [clip.path for clip in other]
        assert not {clip.wav for clip in one} & {clip.wav for clip in other}

    def test_a_clip_does_not_depend_on_limit_or_profile(self, corpus: list[Clip]) -> None:
        sounds = {clip.path: clip.wav for clip in corpus}
        few = make("quick", limit=47)
        assert len(few) == 47
        assert all(sounds[clip.path] == clip.wav for clip in few)

    def test_the_rate_changes_the_sampling_not_the_sound(self, corpus: list[Clip]) -> None:
        sounds = {clip.path: clip for clip in corpus}
        for fine in make("audiomnist", limit=10):
            coarse = waveform(sounds[fine.path])
            resampled = soxr.resample(waveform(fine), 48000, 8000, quality="VHQ")
            n_samples = min(len(coarse), len(resampled))
            match = np.corrcoef(coarse[:n_samples], resampled[:n_samples])[0, 1]
            assert match > 0.99, fine.path

    def test_no_two_clips_are_alike(self, corpus: list[Clip]) -> None:
        assert len({clip.wav for clip in corpus}) == len(corpus)


class TestPlan:
    @pytest.mark.parametrize("profile", synthetic.PROFILES)
    def test_without_a_limit_everybody_says_everything(self, profile: str) -> None:
        wanted = synthetic.PROFILES[profile]
        n_clips = synthetic.count(profile, None)
        assert n_clips == wanted.speakers * 10 * wanted.takes
        everything = {(digit, take) for digit in range(10) for take in range(wanted.takes)}
        planned = list(synthetic.plan(profile, n_clips))
        assert [number for number, _ in planned] == list(range(1, wanted.speakers + 1))
        for _, takes in planned:
            assert len(takes) == len(everything)
            assert set(takes) == everything

    @pytest.mark.parametrize("limit", [1, 7, 10, 25, 120, 599, 601, 1234, 2999])
    def test_a_limit_is_kept_and_balanced(self, limit: int) -> None:
        planned = dict(synthetic.plan("quick", synthetic.count("quick", limit)))
        said = [(n, digit, take) for n, takes in planned.items() for digit, take in takes]
        assert len(said) == len(set(said)) == limit
        assert max(take for _, _, take in said) < synthetic.PROFILES["quick"].takes
        per_speaker = [len(takes) for takes in planned.values()]
        assert max(per_speaker) - min(per_speaker) <= 1
        digits = Counter(digit for _, digit, _ in said)
        per_digit = [digits[digit] for digit in range(10)]
        assert max(per_digit) - min(per_digit) <= 1
        assert len(planned) == min(60, max(1, limit // 10))

    def test_clips_follow_the_plan_sorted_by_path(self, corpus: list[Clip]) -> None:
        paths = [clip.path for clip in corpus]
        assert paths == sorted(set(paths))
        assert len(corpus) == synthetic.count("fsdd", 480) == 480
        for clip in corpus:
            assert clip.utterance == f"{clip.label}_{clip.speaker}_{clip.take}"
            assert clip.path == f"{clip.speaker}/{clip.utterance}.wav"

    def test_only_a_few_speakers_are_made_ahead(
        self, corpus: list[Clip], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun: list[int] = []

        def instead(number: int, *rest: object) -> list[Clip]:
            begun.append(number)
            return corpus[:1]

        monkeypatch.setattr(synthetic, "_make", instead)
        stream = synthetic.clips(profile="quick", seed=0, limit=None, workers=2)
        next(stream)
        time.sleep(0.2)  # no clip is consumed: the workers become idle
        assert len(begun) <= 3
        assert 1 + len(list(stream)) == 60
        assert sorted(begun) == list(range(1, 61))


class TestSound:
    @pytest.mark.parametrize(
        ("profile", "sample_rate"), [("quick", 8000), ("fsdd", 8000), ("audiomnist", 48000)]
    )
    def test_format(self, profile: str, sample_rate: int) -> None:
        opened = synthetic.open_synthetic(profile, 0, 3)
        assert opened.synthetic
        made = list(opened.clips)
        assert len(made) == opened.n_clips == 3
        for clip in made:
            found = audio.decode(clip.wav, clip.path)[1]
            assert found == opened.audio_format
            assert (found.sample_rate, found.n_channels) == (sample_rate, 1)
            assert found.subtype == "PCM_16"
            assert clip.speaker in opened.speakers

    def test_neither_silent_nor_clipped_nor_of_odd_length(self, corpus: list[Clip]) -> None:
        durations_s = []
        for clip in corpus:
            samples = waveform(clip)
            durations_s.append(len(samples) / 8000)
            assert 0.01 < np.max(np.abs(samples)) < 0.99, clip.path
            # Clipped or constant sound would stay at its extreme value.
            assert np.mean(np.abs(samples) > 0.98 * np.max(np.abs(samples))) < 0.02, clip.path
            assert abs(np.mean(samples)) < 0.1 * np.std(samples), clip.path
        assert min(durations_s) > 0.25
        assert max(durations_s) < 1.1
        assert 0.5 < np.mean(durations_s) < 0.7

    def test_speakers_can_be_distinguished(self, corpus: list[Clip]) -> None:
        def colour(clips: list[Clip]) -> NDArray[np.float64]:
            pictures = np.array([picture(clip) for clip in clips])
            return pictures.reshape(-1, N_BANDS).mean(axis=0)  # (N_BANDS,)

        early: dict[str, list[Clip]] = {}
        late: dict[tuple[str, int], list[Clip]] = {}
        for clip in corpus:
            if clip.take < N_TAKES // 2:
                early.setdefault(clip.speaker, []).append(clip)
            else:
                late.setdefault((clip.speaker, clip.take), []).append(clip)
        speakers = list(early)
        known = np.array([colour(early[speaker]) for speaker in speakers])
        right = [
            speakers[int(np.argmin(np.sum((known - colour(clips)) ** 2, axis=1)))] == speaker
            for (speaker, _), clips in late.items()
        ]
        assert np.mean(right) > 0.8  # chance: 1 in 6

    def test_digits_can_be_distinguished_within_a_speaker(self, corpus: list[Clip]) -> None:
        for speaker in sorted({clip.speaker for clip in corpus}):
            own = [clip for clip in corpus if clip.speaker == speaker]
            train = [clip for clip in own if clip.take < N_TAKES // 2]
            test = [clip for clip in own if clip.take >= N_TAKES // 2]
            assert accuracy(train, test) > 0.75, speaker  # chance: 1 in 10

    def test_digits_can_be_distinguished_across_speakers(self, corpus: list[Clip]) -> None:
        rates = []
        for speaker in sorted({clip.speaker for clip in corpus}):
            train = [clip for clip in corpus if clip.speaker != speaker]
            test = [clip for clip in corpus if clip.speaker == speaker]
            rates.append(accuracy(train, test))
        assert 0.5 < np.mean(rates) < 0.97  # neither noise nor trivially easy


class TestFailure:
    def test_missing_engine_names_the_way_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "espeakng_loader", None)
        with pytest.raises(UserError, match=r'uv pip install "spoken-digits\[synthetic\]"'):
            synthetic.clips(profile="quick", seed=0, limit=1)

    @pytest.mark.parametrize(
        ("program", "told"),
        [
            ("import os; os.abort()", r"exit status -?\d+"),
            ("import sys; sys.exit('no voice today')", "exit status 1: no voice today"),
            ("pass", "0 of 10 utterances"),
            ("import sys; sys.stdout.buffer.write(bytes([2, 0]))", "0 of 10 utterances"),
            ("import sys; sys.stdout.buffer.write(bytes(4) * 10)", "0 of 10 utterances"),
            ("import time; time.sleep(60)", "no answer"),
        ],
    )
    def test_a_failing_engine_is_reported_with_the_speaker(
        self, program: str, told: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(espeak_worker, "_COMMAND", (sys.executable, "-c", program))
        monkeypatch.setattr(espeak_worker, "_TIMEOUT_S", 2)
        with pytest.raises(UserError, match=rf"speaker 01 .*{told}.*run again"):
            make("quick", limit=10)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"profile": "slow"}, "slow.*quick, fsdd, audiomnist"),
            ({"limit": 0}, "limit is 0"),
            ({"seed": -1}, "seed .* is -1"),
        ],
    )
    def test_bad_parameters_are_refused(self, change: dict[str, object], told: str) -> None:
        with pytest.raises(UserError, match=told):
            synthetic.clips(**{"profile": "quick", "seed": 0, "limit": 1, **change})

    def test_broken_off_it_leaves_nothing_behind(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        stream = synthetic.clips(profile="quick", seed=0, limit=50)
        next(stream)
        assert list(tmp_path.iterdir())
        stream.close()
        assert not list(tmp_path.iterdir())

    def test_a_path_too_long_for_the_engine_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long = tmp_path / ("x" * espeak_worker.MAX_FOLDER_LENGTH)
        long.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(long))
        with pytest.raises(UserError, match="TMPDIR"):
            make("quick", limit=1)


class TestWorker:
    UTTERANCE = espeak_worker.Utterance(
        text="three.",
        language="en-us",
        voice="language variant\nname voice\nbreath 0 9 9 9 9 9 9 9\nflutter 9\n",
        rate_wpm=150,
        pitch=50,
        pitch_range=50,
        seed=5,
    )

    def say(self, *utterances: espeak_worker.Utterance) -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            return espeak_worker.say(utterances, Path(folder))

    def test_earlier_utterances_change_nothing(self) -> None:
        other = dataclasses.replace(self.UTTERANCE, text="seven?", pitch=80)
        first, _, last = self.say(self.UTTERANCE, other, self.UTTERANCE)
        assert first == last
        assert self.say(other, self.UTTERANCE)[1] == first

    @pytest.mark.parametrize("language", espeak_worker.LANGUAGES)
    def test_every_accent_can_be_loaded(self, language: str) -> None:
        (samples,) = self.say(dataclasses.replace(self.UTTERANCE, language=language))
        assert 0.2 < len(samples) / 2 / espeak_worker.SAMPLE_RATE < 1.5

    def test_the_longest_folder_allowed_works(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            length = espeak_worker.MAX_FOLDER_LENGTH - len(folder) - 1
            longest = Path(folder) / ("x" * length)
            longest.mkdir()
            assert len(str(longest)) == espeak_worker.MAX_FOLDER_LENGTH
            assert espeak_worker.say([self.UTTERANCE], longest) == self.say(self.UTTERANCE)

    def test_an_unknown_voice_is_reported(self) -> None:
        with pytest.raises(espeak_worker.EngineError, match=r"voice xx\+voice"):
            self.say(dataclasses.replace(self.UTTERANCE, language="xx"))

    def test_it_runs_as_documented(self, tmp_path: Path) -> None:
        request = f'{{"folder": "{tmp_path}", "utterances": []}}'
        reply = subprocess.run(
            [sys.executable, "-m", "spoken_digits.corpora.espeak_worker"],
            input=request.encode(),
            capture_output=True,
            check=True,
        )
        assert reply.stdout == b""

    def test_the_engine_stays_out_of_this_process(self, corpus: list[Clip]) -> None:
        assert corpus
        assert "espeakng_loader" not in sys.modules
        maps = Path("/proc/self/maps")
        if maps.exists():
            assert "espeak" not in maps.read_text()
