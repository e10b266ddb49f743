"""Stage `feature_extract`: every clip as a tensor of one kind: mfcc, mfcc_int or spectrogram.

Reads   data/raw/audio.zip, data/raw/manifest.csv, params.yaml: features
Writes  data/features/<kind>/x.npy, n_frames.npy, features.json
Run     python stages/feature_extract.py mfcc

After a kill the same command goes on where it was.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.manifest import read_manifest
from spoken_digits.features.extraction import write_features
from spoken_digits.features.registry import KINDS, FeatureParams, make_extractor

RAW = Path("data/raw")
FEATURES = Path("data/features")


def main() -> None:
    kind = parse_arguments().kind
    feature_params = read_config(Path("params.yaml")).section("features", FeatureParams)
    extractor = make_extractor(kind, feature_params)
    manifest = read_manifest(RAW / "manifest.csv")
    taken_over = write_features(
        FEATURES / kind, extractor, RAW / "audio.zip", manifest, feature_params.parallel
    )
    gone_on = f", {taken_over} of them from a run that broke off" if taken_over else ""
    print(f"{kind}: {len(manifest)} clips of {extractor.shape} {extractor.dtype}{gone_on}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
