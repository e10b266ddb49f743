"""Distortions of a recording: noise, level, clipping, speed, room, silence, narrow channels.

Samples are float64, (n_samples,), full scale 1; each function returns a new array, which may
exceed full scale only where a converter would: `to_pcm16` saturates it.
"""

from __future__ import annotations

import io

import numpy as np
import scipy.fft
import scipy.signal
import soundfile
from numpy.typing import NDArray

from spoken_digits import audio
from spoken_digits.audio import Waveform

Samples = NDArray[np.float64]
"""(n_samples,), full scale 1."""

_STEPS = 32768
_FULL_SCALE = (_STEPS - 1) / _STEPS
_CODEC_PEAK_DB = -6.0
_TELEPHONE_HZ = (300.0, 3400.0)
_TELEPHONE_ORDER = 4
_LOWEST_PINK_HZ = 20.0


def to_pcm16(samples: Samples) -> Waveform:
    """What a 16-bit converter gives: rounded to its steps, saturated at full scale; float32."""
    steps = np.clip(np.round(samples * _STEPS), -_STEPS, _STEPS - 1)
    return np.asarray(steps / _STEPS, np.float32)


def at_peak(samples: Samples, dbfs: float) -> Samples:
    """Scaled so that the largest magnitude is at `dbfs`, decibels relative to full scale."""
    peak = np.abs(samples).max(initial=0.0)
    return samples * (_FULL_SCALE * 10 ** (dbfs / 20) / peak) if peak > 0 else samples.copy()


def mixed(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """`samples` in `noise`, of the same length; scaled down where the sum exceeds full scale.

    The ratio is that of the powers over the whole recording, both without their mean.
    """
    noise = noise - noise.mean()
    power = float(noise.var())
    if power == 0:
        return samples.copy()
    gain = np.sqrt(samples.var() / power * 10 ** (-snr_db / 10))
    total = samples + gain * noise
    return at_peak(total, 0.0) if np.abs(total).max() > _FULL_SCALE else total


def white_noise(n_samples: int, rng: np.random.Generator) -> Samples:
    """Normal noise, the same power in every hertz."""
    return rng.standard_normal(n_samples)


def pink_noise(n_samples: int, sample_rate: int, rng: np.random.Generator) -> Samples:
    """Noise of the same power in every octave above 20 Hz."""
    spectrum = scipy.fft.rfft(rng.standard_normal(n_samples))
    frequencies = scipy.fft.rfftfreq(n_samples, 1 / sample_rate)
    spectrum /= np.sqrt(np.maximum(frequencies, _LOWEST_PINK_HZ))
    return np.asarray(scipy.fft.irfft(spectrum, n_samples))


def clipped(samples: Samples, share: float) -> Samples:
    """Amplified until `share` of all samples is at full scale; the mean is removed first."""
    centred = samples - samples.mean()
    magnitudes = np.abs(centred)
    threshold = np.quantile(magnitudes, 1 - share, method="inverted_cdf")
    if threshold == 0:  # more than the rest is silence
        return at_peak(centred, 0.0)
    return np.asarray(np.clip(centred / threshold, -1, 1) * _FULL_SCALE)


def sped_up(samples: Samples, sample_rate: int, factor: float) -> Samples:
    """Played `factor` times as fast: tempo, pitch and formants together."""
    played_at = round(sample_rate * factor)
    played = audio.resample(samples.astype(np.float32), played_at, sample_rate)
    return np.asarray(played, np.float64)


def reverberated(
    samples: Samples, sample_rate: int, rt60_s: float, rng: np.random.Generator
) -> Samples:
    """In a room, at the distance where direct and reflected sound are of equal energy.

    The reflections are noise that decays exponentially (Polack's model). The recording goes on
    until they are 30 dB down.

    Parameters
    ----------
    samples, sample_rate
        The recording, Hz.
    rt60_s
        Time in which reverberation decays by 60 dB, seconds.
    rng
        Draws the room.
    """
    n_decay = max(2, round(rt60_s * sample_rate))
    response = rng.standard_normal(n_decay) * 10 ** (-3 * np.arange(n_decay) / n_decay)
    response[0] = 0.0
    response /= np.sqrt((response**2).sum())
    response[0] = 1.0
    heard = scipy.signal.fftconvolve(samples, response)[: samples.size + n_decay // 2]
    return at_peak(heard, 0.0) if np.abs(heard).max() > _FULL_SCALE else heard


def telephone(samples: Samples, sample_rate: int) -> Samples:
    """Through a band-pass from 300 to 3,400 Hz (Butterworth, causal)."""
    low, high = _TELEPHONE_HZ
    kind, edges = ("bandpass", (low, high)) if high < sample_rate / 2 else ("highpass", low)
    sections = scipy.signal.butter(_TELEPHONE_ORDER, edges, kind, fs=sample_rate, output="sos")
    return np.asarray(scipy.signal.sosfilt(sections, samples))


def through_format(samples: Samples, sample_rate: int, subtype: str) -> Samples:
    """Encoded and decoded by libsndfile, the peak at -6 dBFS.

    Parameters
    ----------
    samples, sample_rate
        The recording, Hz.
    subtype
        ``ULAW`` (G.711) or ``PCM_U8``.
    """
    file = io.BytesIO()
    loud = to_pcm16(at_peak(samples, _CODEC_PEAK_DB))
    soundfile.write(file, loud, sample_rate, format="WAV", subtype=subtype)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float64")
    return np.asarray(decoded)
