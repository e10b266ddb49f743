"""The one exception that users see, the wrapper that prints it as one line, and its wording."""

from __future__ import annotations

import argparse
import difflib
import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class UserError(Exception):
    """Something the user can mend. The text names the file, key or value and what to do next."""


def describe_os_error(error: OSError) -> str:
    """One line for an operating-system error, with the way out of a full disk."""
    where = f" {error.filename}" if error.filename else ""
    if error.errno in _DISK_FULL:
        return (
            f"no room left to write{where} ({error.strerror}): free some space "
            "(`dvc gc -w` drops cached files no longer used) and run again; "
            "earlier outputs are kept"
        )
    return f"cannot use{where}: {error.strerror or error}"


def printable(text: str) -> str:
    """`text` with control characters and the like escaped, so that it cannot steer a terminal."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def report(error: Exception) -> None:
    """Print an error that does not end the run, as one line."""
    print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)


def warn(text: str) -> None:
    """Print something that the user should know, as one line beside the results."""
    print(f"note: {' '.join(text.split())}", file=sys.stderr)


def run(main: Callable[[], None], usage: str | None = None) -> None:
    """Run `main`, turning errors the user can mend into one line and exit status 1.

    Anything else is a defect of ours and keeps its traceback. If whoever reads the output goes
    away, the process dies of SIGPIPE as other tools do: status 141 in a shell, a failure to DVC.

    Parameters
    ----------
    main
        The program; it reads its own arguments, if it has any.
    usage
        Of a program without arguments, its docstring: `--help` prints it and does nothing, any
        other argument is refused with status 2.
    """
    if usage is not None:
        form = argparse.RawDescriptionHelpFormatter
        argparse.ArgumentParser(description=usage, formatter_class=form).parse_args()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # it may hold no word of another script
            stream.reconfigure(errors="backslashreplace")
    # A killed stage must unwind, so that temporary files are removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _run(main)
    except BrokenPipeError:  # what was printed last, be it a result or an error
        _die_of_broken_pipe()


def _run(main: Callable[[], None]) -> None:
    try:
        main()
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a reader that is gone can still be noticed
    except UserError as error:
        report(error)
        sys.exit(1)
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.exit(f"error: {describe_os_error(error)}")
    except KeyboardInterrupt:
        sys.exit("interrupted: run again to resume")


def _die_of_broken_pipe() -> NoReturn:
    """End as the operating system ends a program that does not handle SIGPIPE.

    Python ignores that signal and raises `BrokenPipeError`, so that by now all temporary files
    are removed.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(128 + signal.SIGPIPE)  # where the signal is blocked


def shown(value: Any) -> str:
    """A value as YAML writes it, in one short printable line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        text = repr(value)
    except ValueError:  # Python prints no whole number of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def did_you_mean(key: Any, known: Iterable[Any]) -> str:
    """Hint at the known name nearest to `key`, to be appended to a message; empty if none is."""
    close = difflib.get_close_matches(shown(key).strip("'"), list(map(str, known)), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def suggest(key: Any, known: Iterable[Any], where: str) -> str:
    """`did_you_mean`, or else all the names that `where` has."""
    names = [shown(name).strip("'") for name in known]
    if not names:
        return ""
    rest = ", ..." if len(names) > 30 else ""
    return did_you_mean(key, names) or f"; `{where}` has: {', '.join(names[:30])}{rest}"
