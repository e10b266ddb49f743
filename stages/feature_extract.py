"""Stage `feature_extract`: turn every clip into a tensor of one kind of features.

Reads   data/raw/audio.zip, data/raw/manifest.csv, params.yaml: features
Writes  data/features/<kind>/x.npy, n_frames.npy, features.json
Run     python stages/feature_extract.py mfcc

If killed, run the same command to resume.
"""

from __future__ import annotations

import spoken_digits.arithmetic.portable  # noqa: F401

import argparse
from pathlib import Path

from spoken_digits import errors
from spoken_digits.config import read_config
from spoken_digits.data.manifest import read_manifest
from spoken_digits.features.extraction import write_features
from spoken_digits.features.lengths import warning_of_cut_clips
from spoken_digits.features.registry import make_extractor, read_feature_params

RAW = Path("data/raw")
FEATURES = Path("data/features")


def main() -> None:
    kind = parse_arguments().kind
    config = read_config(Path("params.yaml"))
    parallel = read_feature_params(config).parallel
    extractor = make_extractor(kind, config)
    manifest = read_manifest(RAW / "manifest.csv")
    taken_over = write_features(FEATURES / kind, extractor, RAW / "audio.zip", manifest, parallel)
    resumed = f", {taken_over} of them from an interrupted run" if taken_over else ""
    print(f"{kind}: {len(manifest)} clips of {extractor.shape} {extractor.dtype}{resumed}")
    warning = warning_of_cut_clips(extractor, manifest)
    if warning:
        print(warning)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", help="a section of `features` in params.yaml, such as mfcc")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
