"""Chromium without a window, driven through a pipe (its DevTools protocol), for tests of pages."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EXECUTABLE = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu")
PATIENCE_S = 60.0
# It reads commands from descriptor 3 and writes answers to 4.
_START = """
import fcntl, os, sys
read, write, *command = sys.argv[1:]
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in (read, write)]
for goal, end in zip((3, 4), ends): os.dup2(end, goal)
os.execv(command[0], command)
"""


class Browser:
    """One page.

    Parameters
    ----------
    profile
        An empty folder for what the browser keeps.
    more
        Further options.
    """

    def __init__(self, profile: Path, more: Sequence[str] = ()) -> None:
        (read, self._to), (self._from, write) = os.pipe(), os.pipe()
        options = (*OPTIONS, "--remote-debugging-pipe", f"--user-data-dir={profile}", *more)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(read), str(write), str(EXECUTABLE), *options],
            pass_fds=(read, write),
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._rest = b""
        self._number = 0
        self.complaints: list[str] = []
        """What the page and the browser wrote to the console as warnings or errors."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session: str | None = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self._note(answer)

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            content = os.read(self._from, 1 << 20)
            assert content, "the browser has died"
            self._rest += content
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(str(details.get("exception", details).get("description")))

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; of a promise what it becomes."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, address: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def wait_for(self, expression: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + patience_s
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"not within {patience_s:g} s: {expression}"
            time.sleep(0.02)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a form, as a user does."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node)
