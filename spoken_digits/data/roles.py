"""The roles of the extra voices, and which clips each has.

They stand here, apart from the code that reads the archive, so that a training can name its voices
without being run again when that code is edited.
"""

from __future__ import annotations

FINGERPRINTS = {
    "train": "1d04c1ee4a8e6a665556505fea2558afb9c5c74796126e7a1af7eecac1899067",
    "strangers": "e24638f0d638cc253f1898cc4854d73396f63ed215edaa201d2fcfb2423f3925",
}
"""Role -> digest of names and contents of its clips, as provenance.json holds it: five voices to
train on; 22 strangers to test on and for nothing else."""
