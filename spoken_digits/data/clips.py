"""One clip of a corpus, and the archive of all clips that passes from stage to stage."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from spoken_digits.errors import UserError
from spoken_digits.io.files import sha256

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the bytes must not depend on now
_AGAIN = "dvc repro --force download"


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One utterance as a corpus module yields it."""

    utterance: str
    """Name of the recording, unique in the corpus."""
    path: str
    """Name inside audio.zip, ending in .wav; sorts the corpus."""
    label: str
    """The word spoken."""
    speaker: str
    """Who speaks."""
    take: int
    """Repetition number of this word by this speaker."""
    wav: bytes
    """The WAV file."""
    fault: str = ""
    """What is known to be wrong with the recording; empty if nothing."""
    official_subset: str = ""
    """train, val or test, as the corpus's authors divided it; empty if they did not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipSource:
    """Where the recording behind one row of a dataset lies."""

    archive: Path
    """The audio.zip that holds it."""
    path: str
    """Its name inside the archive."""
    sha256: str
    """Digest of the WAV file, for `ClipArchive.read`."""
    sample_rate: int
    """Hz."""
    n_samples: int
    """Length at `sample_rate`."""


def clip_sources(archive: Path, table: pd.DataFrame) -> list[ClipSource]:
    """Where the recording of each row of a manifest lies; the archive is not opened."""
    columns = ["path", "sha256", "sample_rate", "n_samples"]
    return [
        ClipSource(archive=archive, path=path, sha256=digest, sample_rate=rate, n_samples=samples)
        for path, digest, rate, samples in zip(
            *(table[column].tolist() for column in columns), strict=True
        )
    ]


def write_archive(path: Path, clips: Iterable[Clip]) -> Iterator[Clip]:
    """Store clips in `path` as they pass by, uncompressed, so that every clip can be reached
    alone and the bytes are the same on every machine. Clips must come sorted by their path.
    """
    previous = ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for clip in clips:
            if clip.path <= previous:
                raise ValueError(f"{clip.path} after {previous}: clips must come sorted")
            previous = clip.path
            entry = zipfile.ZipInfo(clip.path, _EPOCH)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, clip.wav)
            yield clip


class ClipArchive:
    """Read access to audio.zip; open one per process.

    Raises
    ------
    UserError
        The archive is missing or broken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise UserError(f"{path} is missing: make it with `dvc repro download`") from None
        # zipfile says NotImplementedError of a later zip version, ValueError of a wrong name.
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise UserError(
                f"{path} is not a whole archive ({error}): make it again with `{_AGAIN}`"
            ) from None

    def read(self, name: str, digest: str) -> bytes:
        """The WAV file stored under `name`.

        Parameters
        ----------
        name
            Column `path` of the manifest.
        digest
            Column `sha256` of the manifest; the bytes must have it.

        Raises
        ------
        UserError
            There is no such clip, or it is not the recording that the manifest lists.
        """
        try:
            entry = self._zip.getinfo(name)
            if entry.compress_type != zipfile.ZIP_STORED:  # could unpack to any size
                raise zipfile.BadZipFile("it is compressed, as `download` never does")
            content = self._zip.read(entry)
        except KeyError:
            raise UserError(
                f"{self.path} holds no {name}, which the manifest lists: make both again with "
                f"`{_AGAIN}`"
            ) from None
        # zipfile says RuntimeError of an encrypted entry, ValueError of a wrong offset.
        except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError) as error:
            raise UserError(
                f"{self.path}: {name} is damaged ({error}): make it again with `{_AGAIN}`"
            ) from None
        if sha256(content) != digest:
            raise UserError(
                f"{self.path}: {name} is not the recording that the manifest lists (its SHA-256 "
                f"differs): make both again with `{_AGAIN}`"
            )
        return content
