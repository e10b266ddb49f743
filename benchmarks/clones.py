"""A clone of the committed checkout, in which a benchmark runs this project's own commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring import Measured, measure

from spoken_digits.io import files

ROOT = Path(__file__).resolve().parent.parent


class Clone:
    """A clone at `folder`, made unless it is there, with the archives that this checkout has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        if not (self.folder / "dvc.yaml").exists():
            clone = ["git", "clone", "--quiet", str(ROOT), str(self.folder)]
            subprocess.run(clone, check=True)
        self.archives = self.folder / "data/archives"
        self.archives.mkdir(parents=True, exist_ok=True)
        binaries = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            # First, since the environment's copy of the package may be of another checkout.
            "PYTHONPATH": os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]),
        }

    def bring(self, archive: str) -> bool:
        """Link an archive of this checkout, if it has it and the clone has not."""
        there = self.archives / archive
        ready = ROOT / "data/archives" / archive
        if not there.exists() and ready.exists():
            there.symlink_to(ready)
        return there.exists()

    def run(self, *command: str) -> Measured:
        """Run a command there."""
        return measure(command, self.folder, self.environment)

    def answer(self, *command: str) -> str:
        """What a command prints on its standard output, without its notes."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def params_as_committed(self) -> None:
        """Undo what experiments left in params.yaml."""
        command = ["git", "checkout", "--quiet", "--", "params.yaml"]
        subprocess.run(command, cwd=self.folder, check=True)

    def read(self, name: str, made_by: str) -> dict[str, Any]:
        """Read a JSON file made there."""
        return files.read_json(self.folder / name, made_by)
