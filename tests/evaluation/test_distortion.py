"""Each distortion does what it says, by as much as it says."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import tone

from spoken_digits.evaluation import distortion
from spoken_digits.evaluation.conditions import KINDS, Condition, Recording, conditions
from spoken_digits.evaluation.conditions import RobustnessParams as Params

RATE = 8000
PARAMS = Params(
    clips=None,
    giga_macs=1.0,
    talkers=2,
    snr_db=(20.0, 0.0),
    level_dbfs=(0.0, -40.0),
    dc=(-0.05, 0.1),
    clipping=(0.05, 0.2),
    speed=(0.8, 1.25),
    reverberation_s=(0.2, 0.6),
    silence_ms=(100.0, 300.0),
)
STEP = 2.0**-15


def clip(name: str = "clip", peak: float = 0.1, frequency_hz: float = 440.0) -> Recording:
    samples = tone(frequency_hz, 0.5, RATE).astype(np.float64)
    samples = np.round(samples / np.abs(samples).max() * peak / STEP) * STEP
    return Recording(utterance=name, speaker="ann", samples=samples, sample_rate=RATE)


def babble(clip: Recording, rng: np.random.Generator) -> distortion.Samples:
    return np.sin(np.arange(clip.samples.size) * rng.uniform(0.3, 0.5))


def distorted(name: str, level: float | None = None, clip: Recording | None = None):
    made = Condition(name=name, level=level)(clip or CLIP, babble)
    return made.astype(np.float64)


CLIP = clip()
EVERY = [(c.name, c.level) for c in conditions(PARAMS)]


def decibels(ratio: float) -> float:
    return 10 * float(np.log10(ratio))


def power_at(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    frequencies = np.fft.rfftfreq(samples.size, 1 / RATE)
    spectrum = np.abs(np.fft.rfft(samples - samples.mean())) ** 2
    return float(spectrum[(frequencies >= low_hz) & (frequencies < high_hz)].sum())


def test_every_kind_is_measured():
    assert {name for name, _ in EVERY} == set(KINDS)


@pytest.mark.parametrize(("name", "level"), EVERY)
@pytest.mark.parametrize("peak", [0.003, 1 - STEP])
def test_what_comes_out_are_16_bit_samples(name, level, peak):
    made = distorted(name, level, clip(peak=peak))
    steps = made / STEP
    assert (steps == np.round(steps)).all()
    assert -32768 <= steps.min() <= steps.max() <= 32767
    assert np.abs(steps).max() > 0


@pytest.mark.parametrize(("name", "level"), EVERY)
def test_draws_depend_on_condition_level_and_clip_alone(name, level):
    first = distorted(name, level)
    for other in (("white_noise", 20.0), ("reverberation", 0.2)):
        distorted(*other)
    assert (distorted(name, level) == first).all()


@pytest.mark.parametrize("name", ["white_noise", "pink_noise", "babble", "reverberation"])
def test_every_clip_and_every_level_has_noise_of_its_own(name):
    level, near = (0.2, 0.2001) if name == "reverberation" else (0.0, 0.01)
    first = noise_of(name, level, CLIP)
    for other in (noise_of(name, level, clip("another")), noise_of(name, near, CLIP)):
        assert (first - other).std() > 0.5 * first.std()


def noise_of(name: str, level: float, clip: Recording) -> np.ndarray:
    return distorted(name, level, clip)[:4000] - clip.samples


def test_the_clean_clip_is_as_recorded():
    assert (distorted("clean") == CLIP.samples).all()


@pytest.mark.parametrize("name", ["white_noise", "pink_noise", "babble"])
@pytest.mark.parametrize("snr_db", [30.0, 10.0, 0.0])
def test_noise_is_as_loud_as_asked(name, snr_db):
    offset = Recording(
        utterance="clip", speaker="ann", samples=CLIP.samples + 0.2, sample_rate=RATE
    )
    noise = distorted(name, snr_db, offset) - offset.samples
    assert decibels(CLIP.samples.var() / noise.var()) == pytest.approx(snr_db, abs=0.05)
    assert abs(noise.mean()) < STEP


def test_a_sum_beyond_full_scale_is_scaled_and_not_clipped():
    loud = clip(peak=1 - STEP)
    made = distorted("white_noise", 0.0, loud)
    assert np.abs(made).max() == pytest.approx(1, abs=2 * STEP)
    assert (np.abs(made) > 1 - 2 * STEP).sum() == 1
    gain = made @ loud.samples / (loud.samples @ loud.samples)
    noise = made - gain * loud.samples
    assert decibels(gain**2 * loud.samples.var() / noise.var()) == pytest.approx(0, abs=0.3)


def test_white_noise_has_equal_power_in_hertz_and_pink_noise_in_octaves():
    rng = np.random.default_rng(0)
    white = distortion.white_noise(1 << 17, rng)
    pink = distortion.pink_noise(1 << 17, RATE, rng)
    assert power_at(white, 2000, 3000) / power_at(white, 500, 1500) == pytest.approx(1, rel=0.05)
    assert power_at(pink, 2000, 4000) / power_at(pink, 250, 500) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("dbfs", [0.0, -20.0, -50.0])
def test_the_peak_is_at_the_level(dbfs):
    peak = np.abs(distorted("level", dbfs)).max()
    assert peak == pytest.approx(10 ** (dbfs / 20), abs=1.1 * STEP)


def test_a_quiet_clip_loses_bits():
    assert len(np.unique(distorted("level", -50.0))) < 220 < len(np.unique(CLIP.samples))


def test_the_offset_is_added_whatever_the_level():
    quiet = clip(peak=0.003)
    assert (distorted("dc", 0.05, quiet) - quiet.samples).mean() == pytest.approx(0.05, abs=STEP)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_as_many_samples_are_clipped_as_asked(share):
    noise = np.random.default_rng(0).normal(0.01, 0.02, 5000)
    made = distortion.clipped(noise, share)
    at_rail = np.abs(made) >= np.abs(made).max()
    assert at_rail.mean() == pytest.approx(share, abs=1e-3)
    assert np.abs(made).max() == pytest.approx(1, abs=STEP)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_a_faster_clip_is_shorter_and_higher(factor):
    made = distorted("speed", factor)
    assert made.size == pytest.approx(CLIP.samples.size / factor, abs=1)
    pitch_hz = np.abs(np.fft.rfft(made, 1 << 15)).argmax() * RATE / (1 << 15)
    assert pitch_hz == pytest.approx(440 * factor, rel=0.01)


@pytest.mark.parametrize("rt60_s", [0.2, 0.6])
def test_a_room_decays_in_its_time_and_is_as_loud_as_the_talker(rt60_s):
    impulse = np.zeros(RATE)
    impulse[0] = 0.05
    heard = distortion.reverberated(impulse, RATE, rt60_s, np.random.default_rng(0))
    assert heard.size == RATE + round(rt60_s * RATE) // 2
    energy = heard[1 : round(rt60_s * RATE)] ** 2
    assert energy.sum() == pytest.approx(heard[0] ** 2, rel=1e-6)
    left = energy[::-1].cumsum()[::-1]  # Schroeder's backward integration
    half = decibels(left[energy.size // 2] / left[0])
    assert half == pytest.approx(-30, abs=2)


@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_silence_is_put_before_and_after(kind):
    n = 2400
    before, after = distorted(f"leading_{kind}", 300.0), distorted(f"trailing_{kind}", 300.0)
    assert (before[n:] == CLIP.samples).all()
    assert (after[:-n] == CLIP.samples).all()
    for silence in (before[:n], after[-n:]):
        if kind == "zeros":
            assert not silence.any()
        else:
            assert decibels(silence.var()) == pytest.approx(-60, abs=0.5)


def test_a_telephone_passes_its_band_only():
    def loss(frequency_hz: float) -> float:
        there = clip(frequency_hz=frequency_hz)
        band = frequency_hz - 20, frequency_hz + 20
        passed = power_at(distorted("telephone", None, there), *band)
        return decibels(power_at(there.samples, *band) / passed)

    assert loss(1000) == pytest.approx(0, abs=0.2)
    assert loss(300) == pytest.approx(3, abs=0.5)
    assert loss(100) > 30
    assert loss(3900) > 20


def test_a_telephone_at_a_rate_below_its_band_is_a_high_pass():
    heard = distortion.telephone(np.ones(400), 4000)
    assert abs(heard[-1]) < 0.01


def test_eight_bits_are_256_values_at_most_and_mu_law_spends_them_on_the_quiet():
    coarse, companded = distorted("linear_8_bit"), distorted("mu_law")
    assert len(np.unique(coarse)) <= 129
    assert 100 < len(np.unique(companded)) <= 256
    whole = distortion.at_peak(CLIP.samples, -6.0)
    quiet = np.abs(whole) < 0.02
    errors = [np.abs(made - whole)[quiet].mean() for made in (coarse, companded)]
    assert errors[1] < errors[0] / 5
