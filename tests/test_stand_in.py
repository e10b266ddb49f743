from __future__ import annotations

import json
import zipfile
from pathlib import PurePosixPath

import stand_in

from spoken_digits import audio
from spoken_digits.corpora import audiomnist


def test_the_stand_in_has_audiomnists_layout(tmp_path):
    path = tmp_path / audiomnist.ARCHIVE_NAMES[0]
    assert stand_in.write(path, 20) == 20
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        clips = [name for name in names if name.endswith(".wav")]
        assert len(clips) == 20
        _, found = audio.decode(archive.read(clips[0]), clips[0])
    assert {PurePosixPath(name).parts[0] for name in names} == {stand_in.TOP}
    assert f"{stand_in.TOP}/{audiomnist.MARKER}" in names
    assert all(PurePosixPath(n).name.split("_")[1] == PurePosixPath(n).parts[2] for n in clips)
    assert (found.sample_rate, found.n_channels, found.subtype) == (48000, 1, "PCM_16")


def test_its_metadata_is_as_odd_as_audiomnists(tmp_path):
    about = json.loads(json.dumps(stand_in.metadata()))
    assert len(about) == 60
    assert about["45"]["age"] == 1234
    assert {type(speaker["age"]) for speaker in about.values()} == {int, str}
