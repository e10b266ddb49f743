"""Properties of the integer front-end: tones, level, silence, agreement with a float64 twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from frontend_spec import committed_spec

from spoken_digits.integer.frontend import fft, frontend
from spoken_digits.integer.frontend.specification import WINDOW_SAMPLES, FrontendSpec, tables

SPEC = committed_spec()
RATE = SPEC.sample_rate


def tone(frequency_hz: float, amplitude: float, n_samples: int = 2000) -> np.ndarray:
    """Sine wave, int16."""
    phase = 2 * np.pi * frequency_hz * np.arange(n_samples) / RATE
    return np.round(amplitude * np.sin(phase)).astype(np.int16)


def noise(amplitude: float, n_samples: int = 2000, seed: int = 0) -> np.ndarray:
    """Uniform noise, int16."""
    rng = np.random.default_rng(seed)
    return np.round(amplitude * rng.uniform(-1, 1, n_samples)).astype(np.int16)


def speech_like(seed: int) -> np.ndarray:
    """Noise with a falling spectrum under a slow envelope, peak about 8000."""
    rng = np.random.default_rng(seed)
    x = np.convolve(rng.normal(size=6000), 0.9 ** np.arange(60), mode="same")
    x *= 0.02 + np.abs(np.sin(np.arange(6000) / 900))
    return np.round(8000 * x / np.abs(x).max()).astype(np.int16)


def float_features(clip: np.ndarray, spec: FrontendSpec) -> np.ndarray:
    """The same algorithm in float64, from formulas rather than from the integer tables."""
    mel = 2595 * np.log10(1 + np.array([spec.fmin, spec.fmax]) / 700)
    edges = 700 * (10 ** (np.linspace(*mel, spec.n_mels + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / RATE)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    weights = np.maximum(np.minimum(rising, falling), 0)  # (n_mels, n_bins)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)
    rows = np.arange(spec.n_mfcc)[:, None]
    cosine = np.cos(np.pi * rows * (np.arange(spec.n_mels) + 0.5) / spec.n_mels)
    gains = 9 / spec.n_mels * (1 + spec.lifter / 2 * np.sin(np.pi * rows[:, 0] / spec.lifter))
    padded = np.pad(clip.astype(float), (0, max(0, WINDOW_SAMPLES - len(clip))), mode="edge")
    level, frames = 0.0, []
    for index in range(frontend.n_valid_frames(len(clip), spec)):
        samples = padded[index * spec.hop_length :][:WINDOW_SAMPLES]
        samples = samples - np.floor(samples.mean() + 0.5)
        energy = weights @ np.abs(np.fft.rfft(samples * window)) ** 2
        floor = np.sum(window**2) * spec.floor_lsb**2
        cepstrum = cosine @ np.log2(np.maximum(energy / floor, 1))
        decay = spec.level_decay_db / (10 * np.log10(2)) * spec.n_mels
        level = max(cepstrum[0], level - decay)
        cepstrum[0] -= level
        frames.append(cepstrum * gains + 64 * (rows[:, 0] == 0))
    return np.clip(np.array(frames), -128, 127)


def test_frames_are_counted_as_specified():
    counts = [frontend.n_valid_frames(n, SPEC) for n in (0, 1, 255, 256, 415, 416, 5856, 99999)]
    assert counts == [1, 1, 1, 1, 1, 2, 36, 36]


def test_rows_past_the_last_frame_are_zero_and_short_clips_end_in_their_last_sample():
    short = noise(1000, 100)
    features, counts = frontend.extract([short, np.pad(short, (0, 156), mode="edge")], SPEC)
    np.testing.assert_array_equal(counts, [1, 1])
    assert not features[:, 1:].any()
    np.testing.assert_array_equal(features[0], features[1])


def test_a_longer_clip_is_cut_after_the_last_frame():
    clip = noise(1000, 9000)
    features, counts = frontend.extract([clip, clip[:5856]], SPEC)
    np.testing.assert_array_equal(counts, [36, 36])
    np.testing.assert_array_equal(features[0], features[1])


def test_many_clips_at_once_equal_one_by_one():
    clips = [noise(900, n, seed=n) for n in (1, 300, 5000, 777)]
    together, counts = frontend.extract(clips, SPEC)
    for row, clip in enumerate(clips):
        alone, count = frontend.extract(clip, SPEC)
        np.testing.assert_array_equal(alone[0], together[row])
        assert count[0] == counts[row]


def test_no_clips_give_no_features():
    features, counts = frontend.extract([], SPEC)
    assert features.shape == (0, SPEC.n_frames, SPEC.n_mfcc)
    assert counts.shape == (0,)


def test_other_types_than_int16_are_refused():
    with pytest.raises(TypeError, match="float64"):
        frontend.extract(np.zeros(300), SPEC)


@pytest.mark.parametrize("frequency_hz", [200, 440, 1000, 1700, 3000, 3700])
@pytest.mark.parametrize("amplitude", [30, 1000, 32000])
def test_a_tone_lands_in_its_mel_band(frequency_hz, amplitude):
    logs = frontend.mel_log(tone(frequency_hz, amplitude, WINDOW_SAMPLES)[None], SPEC)[0]
    mel = 2595 * np.log10(1 + np.array([0, 4000, frequency_hz]) / 700)
    position = mel[2] / mel[1] * (SPEC.n_mels + 1) - 1  # in bands, centres at whole numbers
    assert abs(np.argmax(logs) - position) <= 1.0
    far = np.abs(np.arange(SPEC.n_mels) - position) > 4
    assert logs[far].max() < logs.max() - 5 * 256  # 5 octaves of power: 15 dB


def test_silence_is_the_floor_in_every_frame():
    silence, dither = np.zeros(2000, np.int16), noise(0.6)
    np.testing.assert_array_equal(frontend.mel_log(silence[None, :256], SPEC), 0)
    constants = [np.full(2000, value, np.int16) for value in (-32768, -1, 1, 32767)]
    features, counts = frontend.extract([silence, *constants, np.zeros(0, np.int16)], SPEC)
    floor = np.array([64] + 12 * [0])
    assert (features[:5, : counts[0]] == floor).all()
    np.testing.assert_array_equal(features[5, 0], floor)
    # Rounding noise of the recording itself stays near the floor.
    assert frontend.mel_log(dither[None, :256], SPEC).max() < 4 * 256


@pytest.mark.parametrize("seed", range(3))
def test_level_does_not_matter(seed):
    """Doubling the samples changes no bit, as long as no band is at the noise floor.

    Samples are multiples of 256, so that every mean is a whole number.
    """
    clip = speech_like(seed) // 256 * 256
    features, _ = frontend.extract([clip, 2 * clip, 4 * clip], replace(SPEC, floor_lsb=1e-3))
    np.testing.assert_array_equal(features[0], features[1])
    np.testing.assert_array_equal(features[0], features[2])


def test_a_talker_23_db_quieter_is_not_starved():
    clip = speech_like(1)
    quiet = np.round(clip / 14).astype(np.int16)
    features, counts = frontend.extract([clip, quiet], SPEC)
    loud, soft = features[:, : counts[0]].astype(int)
    # Only the rounding of the samples remains, a tenth of their range.
    assert np.abs(loud - soft).mean() < 6
    assert all(np.corrcoef(loud[:, k], soft[:, k])[0, 1] > 0.8 for k in range(8))


def test_the_zeroth_coefficient_never_exceeds_its_offset_and_falls_with_the_level():
    clip = np.concatenate([tone(500, 10000), tone(500, 100)])
    features, counts = frontend.extract(clip, SPEC)
    level = features[0, : counts[0], 0].astype(int)
    assert level[0] == 64
    assert level.max() <= 64
    assert level[15] < level[5] - 20


def test_the_zeroth_coefficient_has_three_steps_a_decibel():
    """A drop of 20 dB is 60 steps, where the level tracker stands still."""
    spec = replace(SPEC, level_decay_db=0.0)
    loud = noise(20000, 4000)
    features, counts = frontend.extract(np.concatenate([loud, loud // 10]), spec)
    level = features[0, : counts[0], 0].astype(int)
    assert level[27:36].mean() - level[:24].mean() == pytest.approx(-60, abs=2)


@pytest.mark.parametrize(
    "clip",
    [
        pytest.param(speech_like(5), id="speech_like"),
        pytest.param(noise(30000), id="loud noise"),
        pytest.param(noise(20), id="quiet noise"),
        pytest.param(tone(440, 20000) + noise(500), id="tone in noise"),
        pytest.param(noise(2000, 50), id="shorter than a window"),
    ],
)
def test_agrees_with_float64_within_two_steps(clip):
    features, counts = frontend.extract(clip, SPEC)
    error = np.abs(features[0, : counts[0]] - float_features(clip, SPEC))
    assert error.max() <= 2.0
    assert error.mean() <= 0.35  # rounding alone: 0.25


@pytest.mark.corpus
def test_agrees_with_float64_on_recordings(fsdd_pcm):
    """On speech: at most 3 steps anywhere, 1 at the 99.9th percentile, 0.25 on average.

    The largest errors are in bands 80 dB below the loudest, where the FFT's rounding shows.
    """
    clips = fsdd_pcm[::10]
    features, counts = frontend.extract(clips, SPEC)
    rows = zip(features, counts, clips, strict=True)
    error = np.concatenate([np.abs(f[:n] - float_features(clip, SPEC)) for f, n, clip in rows])
    assert error.max() <= 3.0
    assert np.quantile(error, 0.999) <= 1.0
    assert error.mean() <= 0.26


@pytest.mark.corpus
def test_every_recording_has_features_that_use_the_range(fsdd_pcm):
    """The constants, which were not fitted to recordings, suit recordings."""
    features, counts = frontend.extract(fsdd_pcm, SPEC)
    valid = features[np.arange(SPEC.n_frames) < counts[:, None]].astype(int)
    deviation = valid.std(axis=0)
    assert deviation.min() > 20
    assert deviation.max() < 40
    assert ((valid == 127) | (valid == -128)).mean() < 0.0005


DC_OFFSETS = (-20000, -3277, -1, 1, 655, 1638, 3277, 20000)


@pytest.mark.parametrize(
    "clip",
    [
        pytest.param(speech_like(5), id="speech_like"),
        pytest.param(noise(3), id="quiet noise"),
        pytest.param(noise(12000), id="loud noise"),
        pytest.param(noise(2000, 50), id="shorter than a window"),
        pytest.param(tone(440, 12000), id="tone"),
    ],
)
def test_a_dc_offset_changes_no_bit(clip):
    moved = [(clip + offset).astype(np.int16) for offset in DC_OFFSETS]
    features, _ = frontend.extract([clip, *moved], SPEC)
    for row in features[1:]:
        np.testing.assert_array_equal(row, features[0])


def test_a_dc_offset_takes_no_headroom():
    """The level is that of the samples without their mean: spectra are equal, exponents too."""
    frames = np.stack([noise(3, 256), noise(900, 256, seed=1), tone(900, 12000, 256)])
    power, exponent = fft.power_spectrum(frames, tables(SPEC))
    for offset in DC_OFFSETS:
        moved = fft.power_spectrum((frames + offset).astype(np.int16), tables(SPEC))
        np.testing.assert_array_equal(moved[0], power)
        np.testing.assert_array_equal(moved[1], exponent)


@pytest.mark.corpus
def test_recordings_on_a_dc_offset_have_the_same_features(fsdd_pcm):
    clips = [clip for clip in fsdd_pcm[::10] if np.abs(clip.astype(int)).max() < 29000]
    assert len(clips) > 200
    moved = [(clip + 3277).astype(np.int16) for clip in clips]
    np.testing.assert_array_equal(
        frontend.extract(clips, SPEC)[0], frontend.extract(moved, SPEC)[0]
    )


@pytest.mark.parametrize("n_ones", [1, 100, 127, 129, 200, 255])
def test_the_mean_is_rounded_to_the_nearest_integer(n_ones):
    """The remainder of a mean shows in bin 1, the only other bin that a constant leaks into."""
    frame = np.zeros((1, 256), np.int16)
    frame[0, np.random.default_rng(0).permutation(256)[:n_ones]] = 1
    power, exponent = fft.power_spectrum(frame, tables(SPEC))
    rest = frame[0] - (n_ones > 128)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    expected = np.abs(np.fft.fft(rest * window)[1:128]) ** 2
    found = power[0, 1:] * 4.0 ** (1 + exponent[0])
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-4 * expected.max())


def test_a_mean_half_way_is_rounded_up():
    """Ones and zeros become 0 and -1, which fill no bit, so the level is one step higher."""
    frame = np.tile(np.array([0, 1], np.int16), 128)[None]
    _, exponent = fft.power_spectrum(frame, tables(SPEC))
    assert exponent[0] == fft.power_spectrum(2 * frame, tables(SPEC))[1][0] - 1


def test_no_product_or_sum_overflows_32_bits(monkeypatch):
    """Wider arithmetic gives the same spectra for the hardest inputs found."""
    rng = np.random.default_rng(7)
    signs = rng.choice([-32768, 32767], size=(64, WINDOW_SAMPLES))
    tones = [32767 * np.sign(np.sin(np.arange(256) * w + 0.1)) for w in np.linspace(0, np.pi, 64)]
    alone = np.where(np.eye(WINDOW_SAMPLES, dtype=bool), 32767, -32768)  # furthest from the mean
    constant = np.full((1, WINDOW_SAMPLES), -32768)
    frames = np.concatenate([signs, tones, alone, ~alone, constant]).astype(np.int16)
    narrow, exponent = fft.power_spectrum(frames, tables(SPEC))
    monkeypatch.setattr(fft, "WORK", np.int64)
    wide, wide_exponent = fft.power_spectrum(frames, tables(SPEC))
    np.testing.assert_array_equal(narrow, wide)
    np.testing.assert_array_equal(exponent, wide_exponent)
    assert wide.min() >= 0


@pytest.mark.parametrize("n_mels", [4, 32, 40])
@pytest.mark.parametrize("lifter", [3, 22, 39, 100])
def test_cosine_sums_fit_their_types(n_mels, lifter):
    """Largest log energies, worst signs: folded logs in 16 bits, accumulators in 32.

    By Parseval's theorem a band holds at most 2**30 * 128 times the sum of the squared window:
    37 octaves above a floor of 1 step, 57 above the lowest floor allowed; 60 leave room.
    """
    spec = replace(SPEC, n_mels=n_mels, n_mfcc=min(n_mels, lifter + 1), lifter=lifter)
    table, largest = tables(spec), 60 * 256
    assert 2 * largest < 2**15
    assert np.abs(table.cosine).max() < 2**15
    rows = np.abs(table.cosine.astype(np.int64)).sum(axis=1)
    assert 2 * largest * rows.max() + 2**15 < 2**31
    assert n_mels * largest * table.level_gain + (64 << 16) < 2**31
    assert table.level_decay < 2**31


@pytest.mark.parametrize("floor_lsb", [0.001, 5.0])
def test_no_band_exceeds_57_octaves(floor_lsb):
    spec = replace(SPEC, n_mels=4, n_mfcc=4, floor_lsb=floor_lsb)
    frames = np.stack([tone(f, 32767, WINDOW_SAMPLES) for f in range(50, 4000, 97)])
    frames = np.concatenate([frames, np.where(frames > 0, 32767, -32768).astype(np.int16)])
    assert frontend.mel_log(frames, spec).max() <= (37 - 2 * np.log2(floor_lsb)) * 256


def test_a_full_scale_tone_stays_below_the_largest_log():
    frames = np.stack([tone(f, 32767, WINDOW_SAMPLES) for f in range(50, 4000, 7)])
    assert frontend.mel_log(frames, SPEC).max() <= 40 * 256
