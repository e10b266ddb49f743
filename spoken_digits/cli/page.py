"""docs/command.md: every command, its arguments and examples, from the parsers."""

from __future__ import annotations

import argparse

from spoken_digits.cli import main

_HEAD = """# The command

Made by `spoken-digits tables` from the parsers; not edited by hand. `python -m spoken_digits` is
the same command. What needs the pipeline runs in the top folder of a checkout; `predict`,
`inspect`, `record`, `listen` and `budget` run anywhere. [own-words.md](own-words.md) goes through
all of it once.

    spoken-digits COMMAND --help
"""


def make() -> str:
    """The page."""
    parser = main.make_parser()
    parts = [_HEAD, f"{main.EXIT_STATUS.capitalize()}.\n"]
    rows = [f"| [`{name}`](#{name}) | {main.command(name).HELP} |" for name in main.COMMANDS]
    parts.append("\n".join(["| command | does |", "|---|---|", *rows]) + "\n")
    for name, one in _commands(parser).items():
        parts.append(f"## {name}\n")
        parts.append("\n".join(f"    {line}" for line in main.command(name).EXAMPLES) + "\n")
        actions = [action for action in one._actions if action.dest != "help"]
        if actions:
            rows = [f"| {_names(action)} | {_meaning(action)} |" for action in actions]
            parts.append("\n".join(["| argument | meaning |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the parser has no commands")


def _names(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if action.choices and action.metavar is None:
        value = ", ".join(map(str, action.choices))
    value = value.replace("|", "\\|")
    if not action.option_strings:
        return f"`{value}`" if not action.choices else value
    return " ".join(filter(None, [f"`{action.option_strings[-1]}`", value]))


def _meaning(action: argparse.Action) -> str:
    text = (action.help or "").replace("|", "\\|").replace("<", "&lt;")
    return f"needed; {text}" if action.required and action.option_strings else text
