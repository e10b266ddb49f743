"""Make a stand-in for the AudioMNIST archive: same layout and size, synthetic speech.

Reads   nothing: eSpeak NG speaks (profile audiomnist: 60 speakers x 10 digits x 50 takes, 48 kHz)
Writes  data/archives/AudioMNIST-<commit>.zip, for `dvc exp run -S corpus.name=audiomnist`
Run     python benchmarks/stand_in.py [--clips N] [--folder DIR]

For work on the AudioMNIST path without the real archive (about 1 GB): file names, metadata with
its odd ages, and the known copies are as in AudioMNIST; the voices are not. The member
SYNTHETIC.txt marks it as synthetic in provenance.json, and so in every figure.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from pathlib import Path

from tqdm import tqdm

from spoken_digits import errors
from spoken_digits.corpora import audiomnist, synthetic
from spoken_digits.io import files

PROFILE = "audiomnist"
SEED = 0
TOP = f"AudioMNIST-{audiomnist.COMMIT}"
MARKER_TEXT = (
    "Spoken by eSpeak NG in AudioMNIST's layout. Not AudioMNIST: no person is heard here.\n"
)
COPIES = {"3_36_20": "3_36_19", "3_36_29": "3_36_28"}
"""Utterances that hold another's recording, as in the original."""


def main() -> None:
    arguments = parse_arguments()
    path = arguments.folder / f"{TOP}.zip"
    with files.replacing(path) as temporary:
        n_clips = write(temporary, arguments.clips)
    print(f"{path}: {n_clips} clips, {path.stat().st_size / 2**20:,.0f} MiB, synthetic")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--clips", type=int, help="number of clips; the corpus refuses an incomplete archive"
    )
    parser.add_argument("--folder", type=Path, default=Path("data/archives"))
    return parser.parse_args()


def write(path: Path, n_clips: int | None) -> int:
    """Write the archive; return the number of clips."""
    count = synthetic.count(PROFILE, n_clips)
    recordings: dict[str, bytes] = {}
    # Deflated like the published archive; level 1, since speech hardly compresses further.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{TOP}/{audiomnist.MARKER}", MARKER_TEXT)
        archive.writestr(f"{TOP}/data/{audiomnist.METADATA}", json.dumps(metadata(), indent=4))
        clips = synthetic.clips(profile=PROFILE, seed=SEED, limit=n_clips)
        for clip in tqdm(clips, total=count, desc="stand-in", unit="clip", disable=None):
            if clip.utterance in COPIES.values():
                recordings[clip.utterance] = clip.wav
            wav = recordings.get(COPIES.get(clip.utterance, ""), clip.wav)
            archive.writestr(f"{TOP}/data/{clip.path}", wav)
    return count


def metadata() -> dict[str, dict[str, str | int]]:
    """`audioMNIST_meta.txt` like the original: ages as texts or numbers, one of them 1234."""
    about: dict[str, dict[str, str | int]] = {}
    for number in range(1, synthetic.PROFILES[PROFILE].speakers + 1):
        speaker = synthetic.speaker_of(SEED, number)
        age = 20 + number % 40
        about[f"{number:02d}"] = {
            "accent": speaker.language,
            "age": 1234 if number == 45 else age if number % 2 else str(age),
            "gender": "female" if speaker.female else "male",
            "native speaker": "no",
            "origin": "eSpeak NG",
            "recordingdate": "synthetic",
            "recordingroom": "synthetic",
        }
    return about


if __name__ == "__main__":
    errors.run(main)
