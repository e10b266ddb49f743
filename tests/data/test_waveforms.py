"""Rows of a manifest, spread, and their recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from recordings import tone

from spoken_digits import audio
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.data.clips import Clip, write_archive
from spoken_digits.data.waveforms import spread_evenly, waveforms_of
from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256


@pytest.mark.parametrize(
    ("n", "rows"),
    [(1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (10, [*range(10)]), (11, [*range(10)])],
)
def test_rows_are_spread_from_the_first_to_the_last(n, rows):
    table = pd.DataFrame({"path": range(100, 110)}, index=range(50, 60))
    assert spread_evenly(table, n)["path"].tolist() == [100 + row for row in rows]


def test_recordings_come_in_the_order_of_the_rows(tmp_path):
    wavs = [audio.to_wav(to_pcm(tone(300 + i, 0.1 * (i + 1))), 8000) for i in range(3)]
    clips = [
        Clip(utterance=f"{i}", path=f"{i}.wav", label="a", speaker="b", take=i, wav=wav)
        for i, wav in enumerate(wavs)
    ]
    assert len(list(write_archive(tmp_path / "audio.zip", clips))) == 3
    table = pd.DataFrame(
        {
            "path": [clip.path for clip in clips],
            "sha256": [sha256(wav) for wav in wavs],
            "sample_rate": 8000,
            "n_samples": [800, 1600, 2400],
        }
    )
    found = waveforms_of(tmp_path / "audio.zip", table.iloc[[2, 0]], 8000)
    assert [waveform.size for waveform in found] == [2400, 800]
    np.testing.assert_array_equal(found[1], audio.decode(wavs[0], "0.wav")[0])
    with pytest.raises(UserError, match="manifest.csv says 801"):
        waveforms_of(tmp_path / "audio.zip", table.assign(n_samples=801).iloc[:1], 8000)
