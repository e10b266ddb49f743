from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from spoken_digits import audio
from spoken_digits.features import lengths
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.features.mfcc import Mfcc, MfccParams
from spoken_digits.features.spectrogram import Spectrogram, SpectrogramParams

MFCC = Mfcc(MfccParams(n_fft=400, hop_length=160, n_mels=40, n_mfcc=13, n_frames=36), 8000)
LOG_MEL = LogMel(
    LogMelParams(
        window_length=200,
        n_fft=256,
        hop_length=100,
        n_mels=40,
        fmin=64.0,
        fmax=4000.0,
        floor_db=25.0,
        step_db=0.5,
        n_frames=54,
    ),
    8000,
)
SPECTROGRAM = Spectrogram(
    SpectrogramParams(sample_rate=16000, n_samples=16000, n_fft=2048, hop_length=512)
)


def table(*durations_s: float, sample_rate: int = 8000) -> pd.DataFrame:
    samples = [round(duration * sample_rate) for duration in durations_s]
    return pd.DataFrame({"n_samples": samples, "sample_rate": sample_rate})


def test_long_clips_are_counted_with_the_key_and_a_value_that_holds_99_of_100():
    clips = table(*[0.5] * 90, *[1.0] * 9, 3.0)
    line = lengths.warning_of_cut_clips(MFCC, clips)
    assert line == (
        "mfcc: 10 of 100 clips are longer than the 0.72 s that are heard; "
        "`features.mfcc.n_frames: 50` would hold 99%"
    )
    raised = Mfcc(dataclasses.replace(MFCC.params, n_frames=50), 8000)
    assert lengths.warning_of_cut_clips(raised, clips) is None
    lower = Mfcc(dataclasses.replace(MFCC.params, n_frames=49), 8000)
    assert lengths.warning_of_cut_clips(lower, clips) is not None


def test_one_long_clip_in_a_hundred_is_not_worth_a_line():
    assert lengths.warning_of_cut_clips(MFCC, table(*[0.5] * 99, 1.0)) is None
    assert lengths.warning_of_cut_clips(MFCC, table(*[0.5] * 98, 1.0, 1.0)) is not None


@pytest.mark.parametrize("sample_rate", [8000, 11025, 48000])
def test_lengths_are_those_after_resampling(sample_rate):
    clips = table(0.5, 1.2, 2.0001, sample_rate=sample_rate)
    longest = audio.resample(
        np.ones(clips["n_samples"][2], np.float32), sample_rate, SPECTROGRAM.sample_rate
    )
    line = lengths.warning_of_cut_clips(SPECTROGRAM, clips)
    assert line is not None
    assert "2 of 3 clips are longer than the 1.00 s" in line
    assert f"`features.spectrogram.n_samples: {longest.size}`" in line


def test_the_part_that_is_heard_is_that_of_the_clip_as_recorded():
    wave = np.zeros(48000, np.float32)
    assert lengths.heard_part(MFCC, wave, 16000) == (0.0, lengths.heard_s(MFCC))
    wave[32000:40000] = np.sin(np.arange(8000) / 5)
    start_s, end_s = lengths.heard_part(LOG_MEL, wave, 16000)
    assert start_s <= 2.0
    assert end_s >= 2.5
    assert end_s - start_s == pytest.approx(lengths.heard_s(LOG_MEL))
