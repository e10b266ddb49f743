from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.signal

from spoken_digits.features.mel import band_edges, hann, mel_bank, power_spectra


def test_bands_are_those_of_htk():
    ours = mel_bank(band_edges(20, 100.0, 4000.0), 8000, 512, normalised=False)
    theirs = librosa.filters.mel(
        sr=8000, n_fft=512, n_mels=20, fmin=100.0, fmax=4000.0, htk=True, norm=None
    )
    np.testing.assert_allclose(ours, theirs.T, atol=1e-5)


@pytest.mark.parametrize("n_mels", [5, 40, 120])
def test_every_band_sums_to_one_even_if_it_is_narrower_than_a_bin(n_mels):
    bank = mel_bank(band_edges(n_mels, 64.0, 4000.0), 8000, 256)
    np.testing.assert_allclose(bank.sum(axis=0), 1, rtol=1e-5)
    assert (bank >= 0).all()


def test_a_band_above_half_the_sample_rate_hears_the_last_bin():
    bank = mel_bank(np.array([5000.0, 6000.0, 7000.0]), 8000, 256)
    assert bank[:, 0].nonzero()[0].tolist() == [128]


@pytest.mark.parametrize("length", [2, 3, 200, 255, 256, 400, 2048])
def test_the_window_is_that_of_scipy_to_the_bit(length):
    theirs = scipy.signal.get_window("hann", length).astype(np.float32)
    np.testing.assert_array_equal(hann(length), theirs)


def test_power_of_a_tone_is_in_its_bin():
    n_fft, bin_ = 256, 30
    frame = np.sin(2 * np.pi * bin_ * np.arange(n_fft) / n_fft).astype(np.float32)
    power = power_spectra(frame[None], np.ones(n_fft, np.float32), n_fft)
    assert power.dtype == np.float32
    assert power[0].argmax() == bin_
    assert power[0, bin_] == pytest.approx((n_fft / 2) ** 2, rel=1e-4)
