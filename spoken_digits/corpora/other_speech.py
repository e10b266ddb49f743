"""Other speech, version 1: real speech that is none of the ten English digits.

488 WAV files, 8 or 16 kHz mono, in two roles that stay apart: 43 single words (bed, bird, cat,
...) of 19 people to train on; 157 of the same words by 21 further people, who are among the
strangers of `extra_voices`, and 288 telephone prompts by one woman to test on and for nothing else.

File names: ``{words}_{speaker}_{take}.wav`` in ``recordings/``; os01 to os40 say words, pr41 says
the prompts (she is xv04 of `extra_voices`). Prompts with a digit in name or transcript were left
out automatically, so a few digits may remain. No address offers the archive: it comes beside a
checkout.

==========  ==============  =======================================================
speakers    licence         source
==========  ==============  =======================================================
os01-os40   CC BY 4.0       Google Speech Commands v0.01 (Pete Warden, 2017)
pr41        CC BY-SA 3.0    Asterisk core sounds, Allison Smith, funded by Digium
==========  ==============  =======================================================
"""

from __future__ import annotations

import re
from pathlib import Path

from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.by_role import Role, RoleArchive, about

WORD, PHRASE = "word", "phrase"
"""Column `kind` of the manifest: a single word, or a prompt of one to many."""

_WORD = about("Google Speech Commands v0.01", "CC BY 4.0", kind=WORD)
_PHRASE = about("Asterisk core sounds, Allison Smith", "CC BY-SA 3.0", kind=PHRASE)
_TRAIN = (1, 2, 3, 4, 13, 15, 16, 17, 18, 20, 21, 22, 26, 33, 34, 36, 38, 39, 40)
_TEST = tuple(number for number in range(5, 38) if number not in _TRAIN)

ROLES = {
    "train": Role(
        title="Words that are no digits, to train on",
        n_clips=43,
        fingerprint="3cbc9bd40d98bc938d370e3cecf7b7d8761b97a650b75b49bc80132f01f4a7e7",
        speakers={f"os{number:02}": _WORD for number in _TRAIN},
    ),
    "test": Role(
        title="Words and phrases that are no digits, to test on",
        n_clips=445,
        fingerprint="660195a60f612e59d16dc89a5885427d88fde6ddbc1e9bdf99043add68cad73b",
        speakers={**{f"os{number:02}": _WORD for number in _TEST}, "pr41": _PHRASE},
    ),
}
_ARCHIVE = RoleArchive(
    corpus="other_speech",
    file_name="other-speech-1.tar.gz",
    pattern=re.compile(
        r"(?P<label>[a-z0-9][a-z0-9_-]*)_(?P<speaker>os[0-9]{2}|pr41)_(?P<take>[0-9]{1,3})\.wav"
    ),
    form="words_speaker_take.wav",
    roles=ROLES,
)
ARCHIVE_NAME = _ARCHIVE.file_name
NOT_IN_REACH = _ARCHIVE.not_in_reach


def open_other_speech(root: Path) -> dict[str, Corpus] | None:
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
