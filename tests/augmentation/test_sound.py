from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from recipes import RECIPE
from sound import STILL

from spoken_digits.augmentation.sound import channel
from spoken_digits.augmentation.sound.banks import warped_banks
from spoken_digits.augmentation.sound.clips import SoundClips
from spoken_digits.augmentation.sound.distortion import Distortion
from spoken_digits.augmentation.sound.voice import Voices
from spoken_digits.augmentation.sound_params import LastEpochs, SoundParams
from spoken_digits.data.dataset import Subset
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.mfcc_int import MfccInt
from spoken_digits.features.spectral import SpectralExtractor
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.models.device import set_up
from spoken_digits.models.networks import make_network
from spoken_digits.training import loop

N_CLIPS, N_WORDS, N_TALKERS = 24, 3, 4
EPOCHS = 8
CPU = torch.device("cpu")
LIVELY = dataclasses.replace(
    STILL,
    resampling_probability=0.6,
    drive_probability=0.3,
    mu_law_probability=0.3,
    tempo=0.3,
    time_warp=0.4,
    room=5,
    level_db=6.0,
    mel_warp=0.2,
    mel_warp_knots=0.04,
    mel_drift=0.5,
    contour_db=3.0,
    equaliser_db=2.0,
    tilt_db=4.0,
    telephone_probability=0.2,
    reverberation_probability=0.3,
    babble_probability=0.3,
    noise_snr_db=(10.0, 40.0),
    coefficient_mask=4,
    time_mask=4,
    remove_talker=True,
)
LOG_MEL = LogMel(
    LogMelParams(
        window_length=200,
        n_fft=256,
        hop_length=100,
        n_mels=40,
        fmin=64.0,
        fmax=4000.0,
        floor_db=25.0,
        step_db=None,
        n_frames=54,
    ),
    8000,
)
MFCC = Mfcc(MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36), 8000)
MFCC_INT = MfccInt(
    FrontendSpec(
        sample_rate=8000,
        hop_length=160,
        n_mels=32,
        fmin=0.0,
        fmax=4000.0,
        floor_lsb=5.0,
        level_decay_db=0.5,
        n_mfcc=13,
        lifter=22,
        n_frames=36,
    )
)


def recordings() -> list[np.ndarray]:
    """Harmonics of a gliding pitch, louder and quieter, of several lengths."""
    rng = np.random.default_rng(0)
    clips = []
    for i in range(N_CLIPS):
        time = np.arange(int(rng.integers(2400, 4200))) / 8000
        pitch = (100 + 20 * (i % N_TALKERS)) * (1 + 0.3 * time)
        phase = 2 * np.pi * np.cumsum(pitch) / 8000
        wave = sum(np.sin(k * phase) / k for k in range(1, 12 + i % N_WORDS * 5))
        wave = wave * np.hanning(len(time)) + 1e-3 * rng.standard_normal(len(time))
        clips.append((0.1 * wave / np.abs(wave).max()).astype(np.float32))
    return clips


def sound_clips(
    extractor: SpectralExtractor, params: SoundParams, normalisation: str = "per_coefficient"
) -> SoundClips:
    y, talkers = np.arange(N_CLIPS) % N_WORDS, np.arange(N_CLIPS) % N_TALKERS
    return SoundClips(recordings(), y, talkers, extractor, params, EPOCHS, normalisation, seed=1)


def epoch(clips: SoundClips, seed: int = 0, number: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Features of all clips in one epoch, and their lengths."""
    lengths = clips.begin_epoch(number, *(np.random.default_rng((seed, i)) for i in range(2)))
    return clips.features(np.arange(N_CLIPS)), lengths


# What nothing varies is what the extractor itself makes


@pytest.mark.parametrize(("extractor", "off"), [(MFCC, 1.5), (MFCC_INT, 1.0)])
def test_without_any_change_the_features_are_the_extractors(extractor, off):
    clips = sound_clips(extractor, STILL)
    features, lengths = epoch(clips)
    stored, n_frames = extractor(recordings())
    assert lengths.tolist() == n_frames.tolist()
    mean, std = clips.normalisation.mean, clips.normalisation.std
    heard = np.arange(features.shape[1]) < n_frames[:, None]
    # Frames at the ends see zeros, where the extractors reflect or repeat.
    inner = heard & (np.arange(features.shape[1]) > 0) & np.roll(heard, -1, axis=1)
    difference = (features * std + mean - stored)[inner]
    assert np.median(np.abs(difference)) < 0.1 * off
    assert np.quantile(np.abs(difference[:, 1:]), 0.95) <= off


def test_without_any_change_log_mel_features_are_the_extractors_elsewhere_in_the_window():
    clips = sound_clips(LOG_MEL, STILL)
    features, _ = epoch(clips)
    mean, std = clips.normalisation.mean, clips.normalisation.std
    stored, _ = LOG_MEL(recordings())
    for ours, theirs in zip(features * std + mean, stored, strict=True):
        a, b = (x[(x > -24.9).any(axis=1)] for x in (ours, theirs))
        np.testing.assert_allclose(a, b, atol=0.05)


@pytest.mark.parametrize("extractor", [LOG_MEL, MFCC, MFCC_INT])
def test_an_epoch_is_drawn_from_its_seed(extractor):
    clips = sound_clips(extractor, LIVELY)
    first, again, other = (epoch(clips, seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2)).all()
    assert np.isfinite(first).all()


@pytest.mark.parametrize("extractor", [MFCC, MFCC_INT])
def test_past_the_end_there_is_nothing(extractor):
    features, lengths = epoch(sound_clips(extractor, LIVELY))
    assert len(set(lengths.tolist())) > 1
    past = np.arange(features.shape[1]) >= lengths[:, None]
    assert (features[past] == 0).all()
    assert (features[~past] != 0).any()


def test_a_batch_says_what_the_loop_needs():
    clips = sound_clips(MFCC, LIVELY)
    lengths = clips.begin_epoch(1, np.random.default_rng(0), np.random.default_rng(1))
    batch = clips.batch(np.array([5, 2]), CPU)
    assert batch.x.shape == (2, 36, 13)
    assert batch.x.dtype == torch.float32
    assert batch.n_frames.tolist() == lengths[[5, 2]].tolist()
    assert batch.y.tolist() == [5 % N_WORDS, 2 % N_WORDS]


def test_features_have_mean_zero_and_deviation_one():
    features, lengths = epoch(sound_clips(MFCC, STILL))
    heard = np.arange(36) < lengths[:, None]
    np.testing.assert_allclose(features[heard].mean(axis=0), 0, atol=0.2)
    np.testing.assert_allclose(features[heard].std(axis=0), 1, atol=0.3)


def test_per_talker_has_one_deviation():
    assert sound_clips(MFCC, STILL, "per_talker").normalisation.std.shape == (1,)
    assert sound_clips(MFCC, STILL).normalisation.std.shape == (13,)


def test_a_talkers_own_mean_is_removed_in_training():
    plain = sound_clips(MFCC, STILL)
    removed = sound_clips(MFCC, dataclasses.replace(STILL, remove_talker=True))

    def spread(clips: SoundClips) -> float:
        features, lengths = epoch(clips)
        heard = np.arange(36) < lengths[:, None]
        talker = np.arange(N_CLIPS) % N_TALKERS
        means = [features[talker == t][heard[talker == t]].mean(axis=0) for t in range(N_TALKERS)]
        return float(np.std(means, axis=0).mean())

    assert spread(removed) < 0.2 * spread(plain)


def test_an_offset_is_the_same_in_every_frame_of_a_clip():
    y, talkers = np.arange(N_CLIPS) % N_WORDS, np.arange(N_CLIPS) % N_TALKERS
    made = [
        SoundClips(
            recordings(), y, talkers, MFCC, STILL, EPOCHS, "per_coefficient", seed=1, offset=offset
        )
        for offset in (0.0, 0.5)
    ]
    (plain, lengths), (moved, _) = map(epoch, made)
    heard = np.arange(plain.shape[1]) < lengths[:, None]
    offset = (moved - plain)[:, :1]  # of the first frame
    np.testing.assert_allclose(moved - plain, offset * heard[..., None], atol=1e-5)
    assert offset.std() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("extractor", [MFCC, MFCC_INT])
def test_what_an_lstm_learns_of_varied_sound_holds_for_stored_features(extractor):
    varied = dataclasses.replace(STILL, tempo=0.3, time_warp=0.4, room=5, noise_snr_db=(40.0, 60.0))
    clips, rows = sound_clips(extractor, varied), np.arange(N_CLIPS)
    stored, n_frames = extractor(recordings())
    whole = Subset(x=stored, n_frames=n_frames, y=rows % N_WORDS, rows=rows)
    architecture = {"hidden_dim": 16, "num_layers": 1, "dropout": 0.0, "pooling": "mean"}
    torch.manual_seed(0)
    network = make_network({"name": "lstm", **architecture}, extractor.shape, N_WORDS)
    recipe = dataclasses.replace(RECIPE, epochs=25, batch_size=8, bucket_batches=2, keep="last")
    loop.fit(network, clips.normalisation, clips, whole, recipe, seed=0, device=set_up("cpu", 1))
    assert loop.evaluate(network, clips.normalisation, whole, CPU)[1] > 0.9


# Each change by itself


def power(n: int = 8) -> np.ndarray:
    return np.random.default_rng(5).exponential(1, (n, 30, 40)).astype(np.float32)


def level_of(p: np.ndarray) -> np.ndarray:
    return p.mean(axis=(1, 2)).astype(np.float32)


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_has_the_level_asked_for(snr_db):
    params = dataclasses.replace(STILL, noise_snr_db=(snr_db, snr_db))
    clean = power(64)
    noisy = channel.add_noise(clean, level_of(clean), params, np.random.default_rng(0))
    added = (noisy - clean).mean(axis=(1, 2)) / level_of(clean)
    spread = np.exp(0.35**2 / 2)  # mean of the lognormal
    np.testing.assert_allclose(added, spread * 10 ** (-snr_db / 10), rtol=0.1)


def test_babble_is_made_of_the_others_at_the_level_asked_for():
    params = dataclasses.replace(STILL, babble_probability=1.0, babble_snr_db=(10.0, 10.0))
    clean = power(64)
    babbled = channel.add_babble(clean, level_of(clean), params, np.random.default_rng(0))
    added = (babbled - clean).mean(axis=(1, 2)) / level_of(clean)
    np.testing.assert_allclose(added, 0.1, rtol=0.01)
    assert channel.add_babble(clean, level_of(clean), STILL, np.random.default_rng(0)) == (
        pytest.approx(clean)
    )


def test_reverberation_leaves_a_tail_that_decays():
    params = dataclasses.replace(STILL, reverberation_probability=1.0)
    click = np.zeros((16, 30, 40), np.float32)
    click[:, 5] = 1.0
    tail = channel.reverberate(click, params, np.random.default_rng(0))[:, :, 0]
    assert (tail[:, :5] == 0).all()
    assert (tail[:, 5] == 1).all()
    assert (np.diff(tail[:, 6:14], axis=1) < 0).all()
    assert (tail[:, 6] < 0.5).all()


def test_a_telephone_cuts_what_it_does_not_carry():
    params = dataclasses.replace(STILL, telephone_probability=1.0)
    centres = LOG_MEL.edges_hz[1:-1]
    heard = channel.colour(power(), centres, params, np.random.default_rng(0)) / power()
    inside = (centres >= 300) & (centres <= 3400)
    np.testing.assert_allclose(heard[:, :, inside], 1, rtol=1e-5)
    np.testing.assert_allclose(heard[:, :, ~inside], 1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "spread_db"),
    [({"equaliser_db": 3.0}, 3.0), ({"level_db": 6.0}, 6.0), ({"tilt_db": 6.0}, 6.0)],
)
def test_colour_changes_level_by_about_what_is_asked(change, spread_db):
    params = dataclasses.replace(STILL, **change)
    clean = power(200)
    coloured = channel.colour(clean, LOG_MEL.edges_hz[1:-1], params, np.random.default_rng(0))
    decibels = 10 * np.log10(coloured / clean)
    assert np.ptp(decibels, axis=1).max() < 1e-3  # the same in every frame
    assert 0.3 * spread_db < decibels.std() < 1.7 * spread_db


def test_contour_is_smooth_and_of_the_size_asked_for():
    params = dataclasses.replace(STILL, contour_db=3.0)
    clean = power(300)
    field = 10 * np.log10(channel.contour(clean, params, np.random.default_rng(0)) / clean)
    assert field.std() == pytest.approx(3.0, rel=0.15)
    assert np.abs(np.diff(field, axis=1)).mean() < 0.3 * field.std()
    assert np.abs(np.diff(field, axis=2)).mean() < 0.3 * field.std()


def test_warped_banks_shift_bands_within_the_limit():
    params = dataclasses.replace(STILL, mel_warp=0.2, mel_banks=60)
    banks = warped_banks(LOG_MEL, params, np.random.default_rng(0))
    np.testing.assert_array_equal(banks[0], LOG_MEL.bank(LOG_MEL.edges_hz))
    centre = banks[:, :, 20] @ (np.arange(129) * 8000 / 256)  # of band 20, (n_banks,)
    shifts = np.log(centre / centre[0])
    assert np.abs(shifts).max() < 0.25
    assert shifts.std() > 0.05


def test_time_is_warped_but_never_runs_backwards():
    params = dataclasses.replace(LIVELY, time_warp=0.49)
    voices = Voices(recordings(), [0.8, 1.0, 1.25], LOG_MEL)
    take = voices.draw(params, np.random.default_rng(0))
    steps = np.diff(take.sample, axis=1)[take.spoken[:, 1:]]
    assert (steps >= 0).all()
    assert steps.std() > 10
    assert (take.start + take.spoken.sum(axis=1) <= 54).all()


def test_resampling_changes_pitch_and_length_together():
    voices = Voices(recordings(), [0.8, 1.0, 1.25], LOG_MEL)
    short, plain, long_ = (len(voices.plain_spectra(0, ratio)) for ratio in range(3))
    assert short < plain < long_
    # Centres of gravity: 5/4 of the length is 4/5 of every frequency.
    low, middle, high = (
        spectrum @ np.arange(129) / spectrum.sum()
        for spectrum in (voices.plain_spectra(0, ratio).mean(axis=0) for ratio in (2, 1, 0))
    )
    assert low / middle == pytest.approx(0.8, rel=0.05)
    assert high / middle == pytest.approx(1.25, rel=0.05)


def test_mu_law_and_clipping_touch_only_the_clips_that_were_drawn():
    frames = np.random.default_rng(0).uniform(-1, 1, (100, 50)).astype(np.float32)
    of = np.repeat(np.arange(10), 10)
    same = Distortion(10, STILL, np.random.default_rng(0)).apply(frames, of)
    np.testing.assert_array_equal(same, frames)
    coded = dataclasses.replace(STILL, mu_law_probability=1.0)
    heard = Distortion(10, coded, np.random.default_rng(0)).apply(frames, of)
    assert (heard != frames).mean() > 0.9
    np.testing.assert_allclose(heard, frames, atol=0.03)
    driven = dataclasses.replace(STILL, drive_probability=1.0)
    heard = Distortion(10, driven, np.random.default_rng(0)).apply(frames, of)
    peaks = [np.abs(heard[of == clip]).max() for clip in range(10)]
    assert all(0.3 <= peak < 1 for peak in peaks)
    assert np.unique(np.abs(heard[of == 0]).max(axis=1)).size == 1  # every frame is cut alike


# The last epochs


LAST = LastEpochs(
    share=0.25,
    resampling_probability=0.2,
    drive_probability=0.0,
    mu_law_probability=0.0,
    tempo=0.1,
    time_warp=0.1,
    mel_drift=0.0,
    contour_db=0.5,
    telephone_probability=0.0,
    babble_probability=0.1,
    noise_snr_db=(20.0, 50.0),
    coefficient_mask=2,
    time_mask=1,
)
MILDER = dataclasses.replace(LIVELY, last_epochs=LAST)


def test_only_the_last_epochs_are_milder():
    of = [MILDER.in_epoch(number, EPOCHS) for number in range(1, EPOCHS + 1)]
    assert of[:6] == [MILDER] * 6
    assert of[6] == of[7]
    assert of[7] != MILDER
    assert LIVELY.in_epoch(EPOCHS, EPOCHS) == LIVELY


def test_in_the_last_epochs_their_values_hold_and_all_others_stay():
    last, full = vars(MILDER.in_epoch(EPOCHS, EPOCHS)), vars(MILDER)
    instead = {name: value for name, value in vars(LAST).items() if name != "share"}
    assert last == full | instead
    assert all(full[name] != value for name, value in instead.items())


def test_clips_of_the_last_epochs_are_nearer_to_the_recordings():
    clips = sound_clips(LOG_MEL, dataclasses.replace(MILDER, coefficient_mask=0, time_mask=0))
    plain = epoch(sound_clips(LOG_MEL, dataclasses.replace(STILL, remove_talker=True)))[0]

    def distance(number: int) -> float:
        varied = [epoch(clips, seed, number)[0].mean(axis=1) for seed in range(10)]
        return float(np.mean([np.abs(x - plain.mean(axis=1)).mean() for x in varied]))

    assert distance(EPOCHS) < 0.9 * distance(1)


def test_an_epoch_does_not_depend_on_those_before():
    """A training that is resumed begins in the middle."""
    clips, resumed = sound_clips(LOG_MEL, MILDER), sound_clips(LOG_MEL, MILDER)
    for number in range(1, EPOCHS):
        epoch(clips, number, number)
    np.testing.assert_array_equal(epoch(clips, 8, EPOCHS)[0], epoch(resumed, 8, EPOCHS)[0])
