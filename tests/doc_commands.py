"""The commands that the pages show: found in code blocks and in running text, taken apart."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recordings import REPOSITORY

PROGRAMS = ("make", "dvc", "python", "spoken-digits", "torchrun")
"""What starts a command of ours; cd, cat, git and the like are known without us."""
_LANGUAGES = ("", "sh", "bash", "console")
"""Fenced blocks in other languages hold no commands."""
_STAND_FOR = {"COMMAND": "predict", "PATH/TO/CHECKOUT": "..", "REPOSITORY": ".."}
"""What a reader puts something else for."""
_INLINE = re.compile(rf"`((?:{'|'.join(PROGRAMS)}) [^`]+)`")
_REDIRECTION = re.compile(r"\s+\d?>>?\s*\S+")


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a page."""

    page: str
    """The page, from the top of the repository."""
    words: tuple[str, ...]
    """Program and arguments."""
    folder: str = ""
    """Where the page has gone by ``cd`` before; empty: the top of a checkout."""

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """README, CONTRIBUTING and everything in docs/."""
    top = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]
    return [*top, *sorted((REPOSITORY / "docs").rglob("*.md"))]


def commands() -> list[Command]:
    """All commands of all pages, without repetitions of a page."""
    found = (one for page in pages() for one in _of_page(page))
    return list(dict.fromkeys(found))


def _of_page(path: Path) -> Iterator[Command]:
    page = str(path.relative_to(REPOSITORY))
    blocks, prose = split_page(path.read_text(encoding="utf-8"))
    for block in blocks:
        folder = ""
        for words in simple_commands(block):
            if words[0] == "cd":
                folder = words[1]
            elif words[0] in PROGRAMS:
                yield Command(page=page, words=words, folder=folder)
    for text in _INLINE.findall(prose):
        if "..." not in text:  # shortened by hand
            for words in simple_commands(text):
                yield Command(page=page, words=words)


def split_page(text: str) -> tuple[list[str], str]:
    """Code blocks that may hold commands, fenced and indented, and the rest on one line."""
    blocks: list[str] = []
    language: str | None = None  # of the fenced block that this line is in
    lines: list[str] = []
    prose: list[str] = []
    before = ""
    for line in [*text.splitlines(), ""]:
        if language is not None:
            if line.startswith("```"):
                blocks += ["\n".join(lines)] if language in _LANGUAGES else []
                language, lines = None, []
            else:
                lines.append(line)
        elif line.startswith("    ") and (lines or not before.strip()):
            lines.append(line.strip())
        elif lines and not line.strip():
            lines.append("")
        else:
            blocks += ["\n".join(lines)] if lines else []
            lines = []
            if line.startswith("```"):
                language = line.removeprefix("```").strip()
            else:
                prose.append(line)
        before = line
    return [*blocks, *(["\n".join(lines)] if lines else [])], " ".join(prose)


def simple_commands(block: str) -> Iterator[tuple[str, ...]]:
    """The commands of a shell text: comments and redirections dropped, pipes and lists cut."""
    for line in re.sub(r"\\\n\s*", " ", block).splitlines():
        if not line.strip().startswith((*PROGRAMS, "cd ", "cat ", "arecord ", "dask ")):
            continue
        bare = _REDIRECTION.sub("", re.split(r"\s#\s|\s#$", line)[0])
        for placeholder, value in _STAND_FOR.items():
            bare = re.sub(rf"\b{placeholder}\b", value, bare)
        lexer = shlex.shlex(bare, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        lexer.commenters = ""
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("&|;"):
                if words:
                    yield tuple(words)
                words = []
            else:
                words.append(word)
