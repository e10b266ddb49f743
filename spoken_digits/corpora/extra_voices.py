"""Extra voices, version 1: recordings of the ten digits by 27 people who are not in FSDD.

569 WAV files, 8 to 48 kHz, mono or stereo, 16 or 24 bit, in two roles that stay apart: 469 clips
of five voices to train on, and 100 clips of 22 strangers to test on and for nothing else.

File names: ``{digit}_{speaker}_{take}.wav`` in ``recordings/``; speakers are xv01 to xv05 (train)
and sc01 to sc22 (strangers). No address offers the archive: it comes beside a checkout.

==============  =================  ====================================================
speakers        licence            source
==============  =================  ====================================================
xv01            CC BY-SA 4.0       FSDD, pull request 14, cut again (Jakobovski et al.)
xv02, xv03      MIT                inspektral/audioMNIST-classifier, predict_data
xv04            CC BY-SA 3.0       Asterisk core sounds: Allison Smith, Digium
xv05            MIT                GKPrarthana/speech_recognition_system
sc01 to sc22    CC BY 4.0          Google Speech Commands v0.01 (Pete Warden, 2017)
==============  =================  ====================================================
"""

from __future__ import annotations

import re
from pathlib import Path

from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.by_role import Role, RoleArchive, about
from spoken_digits.data.roles import FINGERPRINTS

_FSDD = about("Free Spoken Digit Dataset, pull request 14, cut again", "CC BY-SA 4.0")
_GIULIO_SHEILA = about("inspektral/audioMNIST-classifier", "MIT")
_ASTERISK = about("Asterisk core sounds, Allison Smith", "CC BY-SA 3.0")
_GKPRARTHANA = about("GKPrarthana/speech_recognition_system", "MIT")
_SPEECH_COMMANDS = about("Google Speech Commands v0.01", "CC BY 4.0")

ROLES = {
    "train": Role(
        title="Extra voices to train on",
        n_clips=469,
        fingerprint=FINGERPRINTS["train"],
        speakers={
            "xv01": _FSDD,
            "xv02": _GIULIO_SHEILA,
            "xv03": _GIULIO_SHEILA,
            "xv04": _ASTERISK,
            "xv05": _GKPRARTHANA,
        },
    ),
    "strangers": Role(
        title="Strangers to test on",
        n_clips=100,
        fingerprint=FINGERPRINTS["strangers"],
        speakers={f"sc{number:02}": _SPEECH_COMMANDS for number in range(1, 23)},
    ),
}
_ARCHIVE = RoleArchive(
    corpus="extra_voices",
    file_name="extra-voices-1.tar.gz",
    pattern=re.compile(
        r"(?P<label>[0-9])_(?P<speaker>(?:xv|sc)[0-9]{2})_(?P<take>[0-9]{1,3})\.wav"
    ),
    form="digit_speaker_take.wav",
    roles=ROLES,
)
ARCHIVE_NAME = _ARCHIVE.file_name
NOT_IN_REACH = _ARCHIVE.not_in_reach


def open_extra_voices(root: Path) -> dict[str, Corpus] | None:
    """The corpus of each role, from the first archive in reach; None if there is none.

    Parameters
    ----------
    root
        Top of the checkout.

    Raises
    ------
    UserError
        The archive is damaged, or does not hold the recordings of version 1.
    """
    return _ARCHIVE.open(root)
