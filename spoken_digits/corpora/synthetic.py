"""Corpus `synthetic`: digits spoken by eSpeak NG, made on this machine, no network needed.

Every speaker has a seeded voice and a seeded room; every take varies both.
Names follow AudioMNIST: ``{speaker}/{digit}_{speaker}_{take}.wav``, speakers from ``01``, odd
numbers male-like, even ones female-like, takes from 0. A clip depends on seed, speaker, digit,
take and sample rate alone, not on the profile, the limit, the number of processes or earlier
clips. The sound is made at the engine's 22.05 kHz, so nothing lies above 11 kHz.

Label every figure measured on this corpus synthetic: machines differ less than people.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from spoken_digits.audio import AudioFormat
from spoken_digits.corpora import espeak_worker, making
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.espeak_worker import LANGUAGES, SAMPLE_RATE, Utterance
from spoken_digits.data.clips import Clip
from spoken_digits.errors import UserError

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
N_FORMANTS = 9  # the engine's formants 0 to 8; 1 to 3 make the vowels
LOWEST_HZ = 50  # that the microphones record

Waveform = NDArray[np.float64]
"""Mono samples, (n_samples,), full scale is 1."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How much to make."""

    speakers: int
    """Number of voices."""
    takes: int
    """How often each speaker says each digit."""
    sample_rate: int
    """Of the WAV files, Hz."""
    meaning: str
    """Purpose of the profile."""

    @property
    def n_clips(self) -> int:
        return self.speakers * len(WORDS) * self.takes


PROFILES = {
    "quick": Profile(
        speakers=60, takes=5, sample_rate=8000, meaning="many speakers, few takes: a fast look"
    ),
    "fsdd": Profile(
        speakers=6, takes=50, sample_rate=8000, meaning="the shape of Free Spoken Digit Dataset"
    ),
    "audiomnist": Profile(
        speakers=60, takes=50, sample_rate=48000, meaning="the shape and size of AudioMNIST"
    ),
}


def open_synthetic(profile: str, seed: int, limit: int | None) -> Corpus:
    """The corpus, generated while it is read. Parameters and errors are those of `clips`."""
    made = clips(profile=profile, seed=seed, limit=limit)
    n_clips = count(profile, limit)
    speakers = {_name(number): speaker_of(seed, number) for number, _ in plan(profile, n_clips)}
    return Corpus(
        name="synthetic",
        title="Digits spoken by eSpeak NG",
        version=f"espeakng-loader {importlib.metadata.version('espeakng-loader')}",
        source=f"spoken by eSpeak NG on this machine, profile {profile}, seed {seed}",
        licence="none: made by a machine",
        synthetic=True,
        n_clips=n_clips,
        clips=made,
        audio_format=AudioFormat(
            sample_rate=PROFILES[profile].sample_rate,
            n_channels=1,
            subtype="PCM_16",
            container="WAV",
        ),
        speakers={
            name: {
                "speaker_gender": "female" if speaker.female else "male",
                "speaker_accent": speaker.language,
            }
            for name, speaker in speakers.items()
        },
        notes=["spoken by a machine: label every figure from it synthetic"],
    )


def clips(
    *, profile: str, seed: int, limit: int | None, workers: int | None = None
) -> Iterator[Clip]:
    """Make the corpus, sorted by path; a few speakers at a time are held in memory.

    Parameters
    ----------
    profile
        A name in `PROFILES`.
    seed
        0 or more; another seed gives other speakers.
    limit
        Make at most this many clips, None for all. Any two digits and any two speakers get the
        same number of clips, or one more. The limit drops takes first, and speakers only if each
        would have fewer than ten clips. The clips are the same as without a limit.
    workers
        Speakers made at a time; None means one per processor core. Changes no byte.

    Raises
    ------
    UserError
        Unknown profile, bad seed or limit, eSpeak NG not installed; or eSpeak NG fails while the
        clips are made.
    """
    n_clips = count(profile, limit)
    if seed < 0:
        raise UserError(f"the seed of the synthetic corpus is {seed}: it must be 0 or more")
    if n_clips < 1:
        raise UserError(f"the limit is {limit}: a synthetic corpus has at least 1 clip")
    if importlib.util.find_spec("espeakng_loader") is None:
        raise UserError(
            "the synthetic corpus is spoken by eSpeak NG, which is not installed: "
            'run `uv pip install "spoken-digits[synthetic]"` (it is in requirements.txt, too)'
        )
    return _stream(profile, seed, n_clips, workers or _n_cores())


def count(profile: str, limit: int | None) -> int:
    """Number of clips that will be made."""
    if profile not in PROFILES:
        raise UserError(f"unknown synthetic profile {profile!r}: use one of {', '.join(PROFILES)}")
    n_clips = PROFILES[profile].n_clips
    return n_clips if limit is None else min(limit, n_clips)


def plan(profile: str, n_clips: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """The utterances of each speaker: (number of the speaker, [(digit, take), ...]), in order.

    Each speaker continues with the digit after the previous speaker's last, so that leftovers
    spread over all digits.
    """
    n_speakers = min(PROFILES[profile].speakers, max(1, n_clips // len(WORDS)))
    start = 0
    for number in range(1, n_speakers + 1):
        stop = start + n_clips // n_speakers + (number <= n_clips % n_speakers)
        yield number, [(i % len(WORDS), (i - start) // len(WORDS)) for i in range(start, stop)]
        start = stop


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Constant from take to take: the voice, the room, the microphone."""

    female: bool
    """Whether the voice is female-like."""
    language: str
    """Accent, one of `LANGUAGES`."""
    pitch_hz: float
    """Lowest pitch of an utterance."""
    pitch_span: float
    """Highest pitch relative to the lowest."""
    formants: Waveform
    """Frequencies relative to the engine's own, (N_FORMANTS,)."""
    strengths: Waveform
    """Strengths of the formants relative to the engine's own, (N_FORMANTS,)."""
    widths: Waveform
    """Widths of the formants relative to the engine's own, (N_FORMANTS,)."""
    breath: float
    """Noise in the voiced sounds, in the engine's units; 0 is none."""
    roughness: int
    """Creak, 0 to 7."""
    flutter: int
    """Wavering of the pitch, in the engine's units; 20 is croaky."""
    consonants: float
    """Strength of hisses and bursts relative to the engine's own."""
    rate_wpm: float
    """Words a minute."""
    level_db: float
    """Peak of a clip relative to full scale."""
    snr_db: float
    """Speech over background noise."""
    noise_slope: float
    """The noise's power falls as frequency to this power: 0 is white, 1 pink, 2 brown."""
    tilt_db: float
    """Gain of the microphone per octave."""
    reverberation_s: float
    """Time in which the room's echo falls by 60 dB."""
    direct_db: float
    """The voice itself over its echo."""


def _rng(seed: int, *key: int) -> np.random.Generator:
    # The length goes first: to numpy [7, 1] and [7, 1, 0] are the same seed.
    return np.random.default_rng([len(key), seed, *key])


def speaker_of(seed: int, number: int) -> Speaker:
    """The speaker with this number, from 1, whatever the profile.

    Pitch and length of the vocal tract follow the usual ranges of men and women (Peterson and
    Barney, 1952: women's formants lie some 15 % above men's). The rest is spread so that nearest
    neighbours on MFCCs get some 90 % of unseen speakers right: clean voices are trivially easy.
    """
    rng = _rng(seed, number)
    female = number % 2 == 0
    tract = rng.uniform(1.05, 1.25) if female else rng.uniform(0.86, 1.06)
    return Speaker(
        female=female,
        language=LANGUAGES[rng.integers(len(LANGUAGES))],
        pitch_hz=rng.uniform(145, 225) if female else rng.uniform(70, 125),
        pitch_span=rng.uniform(1.2, 1.8),
        formants=tract * rng.uniform(0.92, 1.08, N_FORMANTS),
        strengths=rng.uniform(0.6, 1.4, N_FORMANTS),
        widths=rng.uniform(0.8, 2.0, N_FORMANTS),
        breath=max(0.0, rng.uniform(-4, 12)),
        roughness=int(rng.integers(0, 4)),
        flutter=int(rng.integers(0, 8)),
        consonants=rng.uniform(0.7, 1.3),
        rate_wpm=rng.uniform(105, 165),
        level_db=rng.uniform(-26, -4),
        snr_db=rng.uniform(4, 22),
        noise_slope=rng.uniform(0, 2),
        tilt_db=rng.uniform(-4, 4),
        reverberation_s=rng.uniform(0.1, 0.6),
        direct_db=rng.uniform(0, 12),
    )


def utter(speaker: Speaker, word: str, rng: np.random.Generator) -> Utterance:
    """One take of a word, varied as people vary from take to take."""
    pitch_hz = speaker.pitch_hz * rng.uniform(0.92, 1.09)
    formants = speaker.formants * rng.uniform(0.94, 1.06) * rng.uniform(0.93, 1.07, N_FORMANTS)
    percent = 100 * np.stack([formants, speaker.strengths, speaker.widths], axis=1)
    voice = [
        "language variant",
        "name voice",
        f"pitch {pitch_hz:.0f} {pitch_hz * speaker.pitch_span:.0f}",
        *(f"formant {i} {f:.0f} {s:.0f} {w:.0f}" for i, (f, s, w) in enumerate(percent)),
        f"breath 0 {f'{speaker.breath:.0f} ' * 7}",
        f"roughness {speaker.roughness}",
        f"flutter {speaker.flutter}",
        f"consonants {100 * speaker.consonants:.0f} {100 * speaker.consonants:.0f}",
    ]
    return Utterance(
        text=word + "..,?!"[rng.integers(5)],  # falling, continuing, rising, excited
        language=speaker.language,
        voice="\n".join(voice) + "\n",
        rate_wpm=round(speaker.rate_wpm * rng.uniform(0.87, 1.14)),
        pitch=50,
        pitch_range=int(rng.integers(30, 71)),
        seed=int(rng.integers(1, 2**31)),
    )


def record(speech: Waveform, speaker: Speaker, rng: np.random.Generator) -> Waveform:
    """The take as the speaker's microphone records it.

    The room's echo is decaying noise (Moorer, "About this reverberation business", 1979);
    microphone and noise have a constant slope over log frequency.

    Parameters
    ----------
    speech
        From the engine, at `SAMPLE_RATE`.
    speaker
        Whose room and microphone.
    rng
        Draws the variation from take to take.

    Returns
    -------
    Waveform
        At `SAMPLE_RATE`, with 5 to 90 ms of the room's noise before and after the word.
    """
    speech = _trim(speech)
    lead, trail = (int(rng.uniform(0.005, 0.09) * SAMPLE_RATE) for _ in range(2))
    snr_db = speaker.snr_db + rng.uniform(-7, 7)
    tilt_db = speaker.tilt_db + rng.uniform(-2, 2)
    direct_db = speaker.direct_db + rng.uniform(-2, 2)
    level_db = min(-1.0, speaker.level_db + rng.uniform(-4, 4))

    echo = rng.standard_normal(int(speaker.reverberation_s * SAMPLE_RATE))
    echo *= 10 ** np.linspace(0, -3, len(echo))
    echo *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(echo**2))
    echo[0] += 1  # the voice itself

    n_samples = lead + len(speech) + trail
    n_fft = 1 << (n_samples + len(echo)).bit_length()
    frequency_hz = np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE)  # (n_fft // 2 + 1,)
    octaves = np.log2(np.maximum(frequency_hz, LOWEST_HZ) / 1000)
    microphone = (frequency_hz >= LOWEST_HZ) * 10 ** (tilt_db * octaves / 20)
    speech_spectrum = np.fft.rfft(np.pad(speech, (lead, 0)), n_fft) * np.fft.rfft(echo, n_fft)
    heard: Waveform = np.fft.irfft(microphone * speech_spectrum, n_fft)[:n_samples]
    hum = (frequency_hz >= LOWEST_HZ) * 2 ** (-speaker.noise_slope * octaves / 2)
    noise = np.fft.irfft(hum * np.fft.rfft(rng.standard_normal(n_fft)), n_fft)[:n_samples]
    heard += noise * np.sqrt(np.mean(heard**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    heard *= 10 ** (level_db / 20) / np.max(np.abs(heard))
    return heard


def _trim(speech: Waveform) -> Waveform:
    """Without the engine's silence at both ends."""
    loud = np.flatnonzero(np.abs(speech) > 0.01 * np.max(np.abs(speech)))
    return speech[loud[0] : loud[-1] + 1]


def _wav(waveform: Waveform, sample_rate: int) -> bytes:
    # VHQ computes in float64: rounding to 16 bit then hides differences between processors.
    resampled = soxr.resample(waveform, SAMPLE_RATE, sample_rate, quality="VHQ")
    return making.wav(resampled, sample_rate)


def _name(number: int) -> str:
    return f"{number:02d}"


def speak(
    speaker: Speaker,
    name: str,
    texts: Sequence[str],
    rngs: Sequence[np.random.Generator],
    folder: Path,
) -> list[Waveform]:
    """Each text as the speaker says it, clean, at `SAMPLE_RATE`.

    Parameters
    ----------
    speaker, name
        Who speaks; the name stands in errors.
    texts
        What to say: words or sentences of plain English.
    rngs
        Draws how each text is said.
    folder
        To work in; the path must be short enough for the engine.

    Raises
    ------
    UserError
        eSpeak NG fails.
    """
    utterances = [utter(speaker, text, rng) for text, rng in zip(texts, rngs, strict=True)]
    working = folder / name
    working.mkdir()
    try:
        said = espeak_worker.say(utterances, working)
    except espeak_worker.EngineError as error:
        raise UserError(
            f"eSpeak NG failed at speaker {name} of the synthetic corpus ({error}): run again; if "
            "it stays, `uv pip install --reinstall espeakng-loader` or use another corpus.name"
        ) from None
    return [np.frombuffer(samples, "<i2").astype(np.float64) for samples in said]


def _make(
    number: int, takes: list[tuple[int, int]], seed: int, sample_rate: int, folder: Path
) -> list[Clip]:
    """All clips of one speaker, sorted by path."""
    name, speaker = _name(number), speaker_of(seed, number)
    rngs = [_rng(seed, number, digit, take) for digit, take in takes]
    said = speak(speaker, name, [WORDS[digit] for digit, _ in takes], rngs, folder)
    made = []
    for (digit, take), rng, speech in zip(takes, rngs, said, strict=True):
        utterance = f"{digit}_{name}_{take}"
        made.append(
            Clip(
                utterance=utterance,
                path=f"{name}/{utterance}.wav",
                label=str(digit),
                speaker=name,
                take=take,
                wav=_wav(record(speech, speaker, rng), sample_rate),
            )
        )
    return sorted(made, key=lambda clip: clip.path)


def _stream(profile: str, seed: int, n_clips: int, workers: int) -> Iterator[Clip]:
    sample_rate = PROFILES[profile].sample_rate
    # Threads are enough: the engine runs in processes of its own, and numpy releases the GIL.
    with working_folder() as folder:
        yield from making.in_order(
            lambda voice: _make(*voice, seed, sample_rate, folder), plan(profile, n_clips), workers
        )


@contextlib.contextmanager
def working_folder() -> Iterator[Path]:
    """A temporary folder for the engine; removed in the end.

    Raises
    ------
    UserError
        Its path is too long for the engine.
    """
    with tempfile.TemporaryDirectory(prefix="espeak-") as folder:
        if len(os.fsencode(folder)) > espeak_worker.MAX_FOLDER_LENGTH - 3:
            raise UserError(f"the path {folder} is too long for eSpeak NG: set TMPDIR to a shorter")
        yield Path(folder)


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # counts what a container may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
