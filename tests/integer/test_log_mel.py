"""Properties of the integer log-mel front-end: silence, level, agreement with float64, bounds."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from frontend_spec import committed_log_mel_spec

from spoken_digits.errors import UserError
from spoken_digits.integer.frontend import log_mel, mel
from spoken_digits.integer.frontend.log_mel_specification import (
    LogMelSpec,
    log_mel_tables,
    shared_log_mel_tables,
)
from spoken_digits.validation import build

SPEC = committed_log_mel_spec()
FINGERPRINT = "4eaba94d85c656c3fc0b378607575aa796abe7662ec72518237617ea5ea16b8a"


def noise(amplitude: float, n_samples: int = 3000, seed: int = 0) -> np.ndarray:
    """Uniform noise, int16."""
    rng = np.random.default_rng(seed)
    return np.round(amplitude * rng.uniform(-1, 1, n_samples)).astype(np.int16)


def tone(frequency_hz: float, amplitude: float, n_samples: int = 3000) -> np.ndarray:
    """Sine wave, int16."""
    phase = 2 * np.pi * frequency_hz * np.arange(n_samples) / SPEC.sample_rate
    return np.round(amplitude * np.sin(phase)).astype(np.int16)


def speech_like(seed: int, n_samples: int = 5000) -> np.ndarray:
    """Noise with a falling spectrum under a slow envelope, peak 8000."""
    rng = np.random.default_rng(seed)
    x = np.convolve(rng.normal(size=n_samples), 0.9 ** np.arange(60), mode="same")
    x *= 0.02 + np.abs(np.sin(np.arange(n_samples) / 900))
    return np.round(8000 * x / np.abs(x).max()).astype(np.int16)


def float_steps(clip: np.ndarray, spec: LogMelSpec) -> np.ndarray:
    """The same algorithm in float64, from formulas rather than tables; steps, not rounded."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spec.window_length) / spec.window_length)
    limits = 2595 * np.log10(1 + np.array([spec.fmin, spec.fmax]) / 700)
    edges = 700 * (10 ** (np.linspace(*limits, spec.n_mels + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(256, 1 / spec.sample_rate)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    bank = np.maximum(np.minimum(rising, falling), 0)  # (n_mels, n_bins)
    bank /= bank.sum(axis=1, keepdims=True)
    padded = np.pad(clip.astype(float), (0, max(0, spec.window_length - len(clip))), mode="edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, spec.window_length)
    frames = frames[:: spec.hop_length]
    frames = frames - np.floor(frames.mean(axis=1, keepdims=True) + 0.5)
    power = np.abs(np.fft.rfft(frames * window, 256)) ** 2 @ bank.T  # (n, n_mels)
    until = np.concatenate([[0], np.cumsum(power.sum(axis=1))])
    first = 0
    if len(power) > spec.n_frames:
        first = int(np.argmax(until[spec.n_frames :] - until[: -spec.n_frames]))
    word = power[first : first + spec.n_frames]
    steps = np.full((spec.n_frames, spec.n_mels), -spec.floor_db / spec.step_db)
    start = (spec.n_frames - len(word)) // 2
    relative = word / max(word.mean(), 1e-30) + 10 ** (-spec.floor_db / 10)
    steps[start : start + len(word)] = 10 * np.log10(relative) / spec.step_db
    return np.clip(steps, -128, 127)


OTHER = {
    "committed": SPEC,
    "fine": replace(SPEC, step_db=0.2, floor_db=25.0),
    "deep": replace(SPEC, step_db=1.0, floor_db=60.0),
    "whole window": replace(SPEC, window_length=256, hop_length=160, n_frames=30),
    "few bands": replace(SPEC, n_mels=13, fmin=0.0),
    "fast": replace(SPEC, sample_rate=16_000, fmin=100.0, fmax=8000.0, n_mels=30),
}


@pytest.mark.parametrize("spec", OTHER.values(), ids=OTHER)
@pytest.mark.parametrize(
    "clip",
    [
        pytest.param(speech_like(5), id="speech-like"),
        pytest.param(speech_like(6, 20_000), id="long"),
        pytest.param(noise(30_000), id="loud noise"),
        pytest.param(noise(20), id="quiet noise"),
        pytest.param(tone(440, 20_000) + noise(500), id="tone in noise"),
        pytest.param(noise(2000, 50), id="shorter than a window"),
        pytest.param(noise(9000, 2100), id="odd number of frames"),
    ],
)
def test_agrees_with_float64_within_a_quarter_of_a_decibel_and_rounding(clip, spec):
    """Rounding moves a feature by half a step; the logarithms' tables and the FFT by 0.25 dB."""
    features, n_frames = log_mel.extract([clip], spec)
    assert n_frames.tolist() == [spec.n_frames]
    error = np.abs(features[0] - float_steps(clip, spec))
    assert error.max() <= 0.5 + 0.25 / spec.step_db
    assert error.mean() <= 0.5


@pytest.mark.corpus
def test_agrees_with_float64_on_recordings(fsdd_pcm):
    features, _ = log_mel.extract(fsdd_pcm[::10], SPEC)
    expected = np.stack([float_steps(clip, SPEC) for clip in fsdd_pcm[::10]])
    error = np.abs(features - expected)
    assert error.max() <= 1.0
    assert np.quantile(error, 0.999) <= 0.55


def test_silence_is_the_floor_everywhere():
    silent = [np.zeros(n, np.int16) for n in (0, 1, 199, 200, 9000)]
    constant = [np.full(3000, value, np.int16) for value in (-32768, -1, 1, 32767)]
    features, _ = log_mel.extract([*silent, *constant], SPEC)
    assert (features == -50).all()


def test_a_short_clip_is_centred_in_silence():
    features, _ = log_mel.extract([noise(9000, 200 + 100 * n) for n in (19, 18)], SPEC)
    for row, (first, last) in zip(features, [(17, 36), (17, 35)], strict=True):
        heard = np.flatnonzero((row > -50).any(axis=1))
        assert (heard[0], heard[-1]) == (first, last)
        assert (row[:first] == -50).all()
        assert (row[last + 1 :] == -50).all()


def test_of_a_long_clip_the_loudest_stretch_is_kept():
    word = noise(9000, 5500)  # 54 frames
    for before in (0, 700, 9000):
        clip = np.concatenate([np.zeros(before, np.int16), word, np.zeros(7000, np.int16)])
        features, _ = log_mel.extract([clip, word], SPEC)
        np.testing.assert_array_equal(features[0], features[1])
        assert log_mel.first_sample(clip, SPEC) == before


def test_the_first_of_equally_loud_stretches_is_kept():
    pulse = np.zeros(6000, np.int16)
    pulse[2900:3100] = noise(20_000, 200)
    clip = np.concatenate([pulse, pulse])
    energy = log_mel.frame_energy(mel.mel_log(frames_of(clip), log_mel_tables(SPEC)))
    sums = np.convolve(energy.astype(object), np.ones(54, int).astype(object), mode="valid")
    assert (sums == sums.max()).sum() > 20
    assert log_mel.loudest_from(energy, 54) == int(np.argmax(sums == sums.max()))


def test_energies_beyond_64_bits_in_all_do_not_move_the_choice():
    energy = np.full(3000, 1 << 55, np.uint64)
    energy[2000:2050] += np.uint64(5)
    assert log_mel.loudest_from(energy, 54) == 1996


def frames_of(clip: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(clip, 200)[::100]


@pytest.mark.parametrize("seed", range(3))
def test_level_does_not_matter(seed):
    """Four times the samples move every log by four octaves, and the level as much."""
    clip = speech_like(seed) // 256 * 256
    features, _ = log_mel.extract([clip, 2 * clip, 4 * clip], SPEC)
    off = np.abs(features.astype(int) - features[0])
    assert off.max() <= 1
    assert (off > 0).mean() < 0.01


@pytest.mark.parametrize("offset", [-20_000, -1, 1, 655, 20_000])
def test_a_dc_offset_changes_no_bit(offset):
    clips = [speech_like(5), noise(3), noise(12_000), noise(2000, 50)]
    moved = [(clip + offset).astype(np.int16) for clip in clips]
    np.testing.assert_array_equal(log_mel.extract(moved, SPEC)[0], log_mel.extract(clips, SPEC)[0])


def test_clips_do_not_depend_on_their_neighbours():
    clips = [noise(900, n, seed=n) for n in (1, 300, 5000, 777, 12_000)] * 20
    together, _ = log_mel.extract(clips, SPEC)
    for i in (0, 64, 99):
        np.testing.assert_array_equal(log_mel.extract([clips[i]], SPEC)[0][0], together[i])
    assert log_mel.extract([], SPEC)[0].shape == (0, 54, 40)
    with pytest.raises(TypeError, match="float64"):
        log_mel.extract([np.zeros(300)], SPEC)


def test_exp2_and_log2_are_inverse_up_to_their_tables():
    logs = np.arange(1, 51 * 256)
    exact = 2.0 ** (logs / 256)
    found = log_mel.exp2(logs)
    assert (np.abs(found - exact) <= 0.5 + 1e-4 * exact).all()
    high = logs[logs > 12 * 256]
    np.testing.assert_allclose(log_mel.log2_of(found[high - 1].astype(np.uint64)), high, atol=1)
    assert log_mel.exp2(np.zeros(1, np.int64)) == [0]
    ends = np.array([1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1], np.uint64)
    np.testing.assert_array_equal(log_mel.log2_of(ends), 256 * np.array([0, 31, 32, 32, 63, 64]))


@pytest.mark.parametrize("window_length", [4, 200, 256])
def test_no_log_reaches_51_octaves(window_length):
    """The bound on which the sums of energies rely, for the hardest inputs found."""
    spec = replace(SPEC, window_length=window_length, hop_length=4, n_mels=20, fmin=0.0)
    n = np.arange(window_length)
    tones = [np.sin(2 * np.pi * f * n / 8000 + p) for f in range(0, 4000, 53) for p in (0, 1, 2)]
    frames = np.concatenate([np.where(np.array(tones) > 0, 32767, -32768), 32767 * np.array(tones)])
    logs = mel.mel_log(frames.astype(np.int16), log_mel_tables(spec))
    assert 0 < logs.max() < 51 * 256


def test_the_largest_word_fits_64_bits_and_features_fit_32():
    spec = replace(SPEC, n_mels=32, n_frames=256)
    logs = np.full((spec.n_frames, spec.n_mels), 51 * 256 - 1)
    each = log_mel.frame_energy(logs)
    assert sum(int(energy) for energy in each) < 2**64
    for floor_db, step_db in ((0.0, 0.05), (6.0, 0.05), (120.0, 0.94), (120.0, 10.0)):
        table = log_mel_tables(replace(SPEC, floor_db=floor_db, step_db=step_db))
        largest = max(table.floor_depth, (13 + 1) * 256)  # a band alone among 2**13
        assert largest * table.gain + (1 << 17) < 2**31


def test_tables_are_the_pinned_ones():
    """Any change of a table changes every feature: networks must be quantized again."""
    assert SPEC.fingerprint() == FINGERPRINT


def test_tables_do_not_depend_on_the_last_bits_of_libm():
    """Every entry is rounded from a number clear of a tie, so all machines agree."""
    octave, eighth = np.arange(33) / 32, np.arange(81) / 8
    exact = [
        np.sin(np.pi * np.arange(200) / 200) ** 2 * 2**15,
        (2**octave - 1) * 2**15,
        np.log2(1 + 2**-eighth) * 256,
        np.array([25 / (10 * np.log10(2)) * 256, 20 * np.log10(2) * 1024]),
    ]
    for values in exact:
        assert np.abs(values - np.floor(values) - 0.5).min() > 1e-6
    np.testing.assert_array_equal(log_mel_tables(SPEC).weights[:200], np.round(exact[0]))
    np.testing.assert_array_equal(log_mel_tables(SPEC).weights[200:], 0)
    np.testing.assert_array_equal(shared_log_mel_tables().exp_fraction, np.round(exact[1]))
    np.testing.assert_array_equal(shared_log_mel_tables().softplus, np.round(exact[2]))
    assert shared_log_mel_tables().softplus[-1] == 0


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"n_fft": 512}, "n_fft"),
        ({"n_fft": 128}, "n_fft"),
        ({"window_length": 260}, "window_length"),
        ({"window_length": 202}, "window_length"),
        ({"hop_length": 201}, "hop_length"),
        ({"hop_length": 0}, "hop_length"),
        ({"step_db": None}, "step_db"),
        ({"step_db": 0.19}, "floor_db"),  # 25 dB are 131 steps
        ({"step_db": 0.04, "floor_db": 1.0}, "step_db"),
        ({"floor_db": 64.5}, "floor_db"),
        ({"fmax": 4001.0}, "fmax"),
        ({"fmin": 4000.0}, "fmax"),
        ({"n_mels": 120}, "n_mels"),
        ({"n_mels": 128}, "n_mels"),
        ({"n_frames": 205}, "n_frames"),
        ({"sample_rate": 999}, "sample_rate"),
    ],
)
def test_impossible_parameters_are_refused(change, key):
    with pytest.raises(UserError, match=f"^spec: `{key}` is .*(must|too many)"):
        build(LogMelSpec, {**asdict(SPEC), **change}, "", "spec")


@pytest.mark.parametrize(
    "change",
    [
        {"floor_db": 64.0},
        {"floor_db": 6.0, "step_db": 0.0471},
        {"n_frames": 204},
        {"window_length": 256, "hop_length": 256},
        {"window_length": 4, "hop_length": 1},
        {"n_mels": 1},
    ],
)
def test_parameters_at_their_bounds_are_taken(change):
    spec = build(LogMelSpec, {**asdict(SPEC), **change}, "", "spec")
    features, _ = log_mel.extract([noise(9000), np.zeros(10, np.int16)], spec)
    assert features[0].max() > features[1].max() == features[1].min()
