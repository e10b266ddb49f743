"""Archives whose speakers have one role each: to train on, or to test on and for nothing else.

They come beside a checkout, no address offers them. Names are
``recordings/{label}_{speaker}_{take}.wav``; the speaker alone decides the role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from spoken_digits.corpora.archives import ENVIRONMENT_VARIABLE, obtain_local
from spoken_digits.corpora.base import Corpus
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.corpora.unpack import Archive
from spoken_digits.data.clips import Clip
from spoken_digits.data.provenance import fingerprint_of
from spoken_digits.errors import UserError, warn
from spoken_digits.io.files import replacing, sha256

_REMEDY = "put the original archive in its place"


@dataclass(frozen=True, kw_only=True)
class Role:
    """One use of the clips, and the speakers who serve it."""

    title: str
    n_clips: int
    fingerprint: str
    """Digest of names and contents of its clips, as provenance.json holds it."""
    speakers: Mapping[str, Mapping[str, str]]
    """`source` and `licence` of each speaker's clips, and what else the manifest says of them."""


@dataclass(frozen=True, kw_only=True)
class RoleArchive:
    """A published archive, version 1, and what it must hold."""

    corpus: str
    """Name of the corpus."""
    file_name: str
    pattern: re.Pattern[str]
    """Of file names, with the groups label, speaker and take."""
    form: str
    """The same in words."""
    roles: Mapping[str, Role]

    @property
    def not_in_reach(self) -> str:
        """Says that the archive is missing, and where to put it."""
        return (
            f"{self.file_name} is not in reach and no address offers it: put it into "
            f"data/archives/, or into a folder named by {ENVIRONMENT_VARIABLE}"
        )

    def open(self, root: Path) -> dict[str, Corpus] | None:
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
        opened = obtain_local([self.file_name], root, open_archive=self._read)
        if opened is None:
            return None
        archive, members = opened
        return {role: self._corpus(archive, role, members[role]) for role in self.roles}

    def _read(self, path: Path) -> tuple[Archive, dict[str, list[str]]]:
        """The archive, and the names of the clips of each role; their content is checked."""
        archive = Archive(path)
        members: dict[str, list[str]] = {role: [] for role in self.roles}
        for name in archive.names:
            members[self._role_of(path, self._parse(path, name)["speaker"])].append(name)
        for role, names in members.items():
            facts = self.roles[role]
            if len(names) != facts.n_clips:
                raise UserError(
                    f"{path} holds {len(names)} recordings for {role}, version 1 has "
                    f"{facts.n_clips}: {_REMEDY}"
                )
            found = fingerprint_of((name, sha256(archive.read(name))) for name in names)
            if found != facts.fingerprint:
                raise UserError(
                    f"{path}: the recordings for {role} are not those of version 1: {_REMEDY}"
                )
        return archive, members

    def _corpus(self, archive: Archive, role: str, members: Sequence[str]) -> Corpus:
        facts = self.roles[role]
        about = facts.speakers.values()
        return Corpus(
            name=self.corpus,
            title=facts.title,
            version="1",
            role=role,
            source=_joined(speaker["source"] for speaker in about),
            licence=_joined(speaker["licence"] for speaker in about),
            synthetic=False,
            n_clips=len(members),
            clips=self._clips(archive, members),
            audio_format=None,
            fingerprint=facts.fingerprint,
            speakers=facts.speakers,
        )

    def _clips(self, archive: Archive, members: Sequence[str]) -> Iterator[Clip]:
        for member in members:
            match = self._parse(archive.path, member)
            yield Clip(
                utterance=PurePosixPath(member).stem,
                path=PurePosixPath(member).name,
                label=match["label"],
                speaker=match["speaker"],
                take=int(match["take"]),
                wav=archive.read(member),
            )

    def _parse(self, archive: Path, member: str) -> re.Match[str]:
        match = self.pattern.fullmatch(PurePosixPath(member).name)
        if match is None or PurePosixPath(member).parent.name != "recordings":
            raise UserError(f"{archive}: {member} is not named recordings/{self.form}: {_REMEDY}")
        return match

    def _role_of(self, archive: Path, speaker: str) -> str:
        for role, facts in self.roles.items():
            if speaker in facts.speakers:
                return role
        raise UserError(f"{archive}: version 1 has no speaker {speaker}: {_REMEDY}")


def about(source: str, licence: str, **more: str) -> dict[str, str]:
    """What the manifest says of a speaker."""
    return {"source": source, "licence": licence, **more}


def write_stores(
    corpora: Mapping[str, Corpus] | None, stores: Mapping[str, Path], not_in_reach: str
) -> None:
    """Write the clips of each role into a folder of its own.

    Parameters
    ----------
    corpora
        From `RoleArchive.open`; None leaves the folders as they are, or empty, and says so.
    stores
        The folder of each role.
    not_in_reach
        From `RoleArchive.not_in_reach`.
    """
    if corpora is None:
        for folder in stores.values():
            folder.mkdir(parents=True, exist_ok=True)  # DVC wants every output to be there
        above = next(iter(stores.values())).parent
        warn(f"{not_in_reach}; {above}/ stays as it is")
        return
    for role, folder in stores.items():
        with replacing(folder) as temporary:
            temporary.mkdir()
            table, fingerprint = write_corpus(corpora[role], temporary)
        print(
            f"{folder}: {len(table)} clips of {table['speaker'].nunique()} speakers, "
            f"fingerprint {fingerprint[:12]}"
        )


def _joined(texts: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(texts))
