"""Augmentation of sound that changes nothing, for tests to build on."""

from __future__ import annotations

from spoken_digits.augmentation.sound_params import SoundParams

STILL = SoundParams(
    resampling=(0.8, 1.25),
    resampling_probability=0.0,
    drive_probability=0.0,
    drive=0.3,
    mu_law_probability=0.0,
    tempo=0.0,
    time_warp=0.0,
    room=0,
    level_db=0.0,
    mel_warp=0.0,
    mel_warp_knots=0.0,
    mel_banks=3,
    mel_drift=0.0,
    contour_db=0.0,
    equaliser_db=0.0,
    tilt_db=0.0,
    telephone_probability=0.0,
    reverberation_probability=0.0,
    babble_probability=0.0,
    babble_snr_db=(5.0, 25.0),
    noise_snr_db=(90.0, 90.0),
    coefficient_mask=0,
    time_mask=0,
    remove_talker=False,
    last_epochs=None,
)
