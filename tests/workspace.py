"""A copy of the repository with a tiny corpus and tiny networks, for tests that run stages."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import warm_python
import yaml

from spoken_digits.io import fast_yaml

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def recorded_stages(lock: Path) -> dict[str, Any]:
    """The stages in a dvc.lock, which is long."""
    return fast_yaml.load(lock.read_text())["stages"]


def of_other_code(lock: Path, digests: Path) -> list[str]:
    """Stages in a dvc.lock that ran other code than that of `digests`, each with what differs."""
    found = []
    for name, stage in recorded_stages(lock).items():
        for dep in stage.get("deps", ()):
            of_code = dep["path"].startswith("data/sources/")
            path = digests / dep["path"].removeprefix("data/sources/")
            if of_code and md5(path) != dep["md5"]:
                found.append(f"{name}: {dep['path']}")
    return found


def md5(path: Path) -> str:
    """The hash of a file or folder as DVC records it."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = [
        {"md5": md5(file), "relpath": file.relative_to(path).as_posix()}
        for file in path.rglob("*")
        if file.is_file()
    ]
    listed = json.dumps(sorted(files, key=lambda file: file["relpath"]), sort_keys=True)
    return f"{hashlib.md5(listed.encode()).hexdigest()}.dir"


class Workspace:
    """A folder in which stages and DVC run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        made = (
            "metrics/",
            "plots/",
            "models/",
            "studies/",
            "tests/",
            "dvc.lock",
            "data/raw/",
            "data/features/",
        )
        for name in listed.stdout.splitlines():
            kept = name.endswith("/.gitkeep") or not name.startswith(made)
            if kept and (REPOSITORY / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / name, folder / name)

    def run(
        self,
        *command: str,
        check: bool = True,
        extra: Mapping[str, str] | None = None,
        afresh: bool = False,
        **options: Any,
    ) -> subprocess.CompletedProcess:
        """Run a command of the environment in the folder, with `extra` environment variables.

        `python` and `dvc` are those of warm_python, or, `afresh`, processes of their own.
        """
        bins = [BIN] if afresh else [warm_python.launchers(), BIN]
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, bins), os.environ["PATH"]]),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "SPOKEN_DIGITS_ARCHIVES": str(self.folder / "no-archives"),
            **(extra or {}),
        }
        for name in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{name}_NAME": "tests", f"GIT_{name}_EMAIL": "tests@localhost"}
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            **options,
        )
        if check and result.returncode:
            raise AssertionError(f"{' '.join(command)}\n{result.stdout}\n{result.stderr}")
        return result

    def stage(self, name: str, *arguments: str, check: bool = True, **options: Any):
        """Run a stage's script."""
        return self.run("python", f"stages/{name}.py", *arguments, check=check, **options)

    def dvc(self, *arguments: str, check: bool = True) -> str:
        """Run DVC; return what it printed."""
        result = self.run("dvc", *arguments, check=check)
        return result.stdout + result.stderr

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Edit params.yaml."""
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        edit(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def shrink(self, recordings: Path, label_pattern: str) -> None:
        """Own recordings as the corpus, a few epochs, two LSTMs and two small CNNs."""

        def edit(params: dict[str, Any]) -> None:
            params["corpus"] |= {
                "name": "folder",
                "path": str(recordings),
                "label_pattern": label_pattern,
            }
            # Open models are tested by themselves.
            params["corpus"]["rejection"] |= {"spoken": 0, "silence": 6, "models": {}}
            params["train"] |= {"epochs": 4, "batch_size": 8, "threads": 1}
            params["model"]["hidden_dim"] = 16
            params["model"]["train"] = {}
            # One LSTM beside the main one covers the features of the others.
            for name in ("lstm_36kb_1layer", "lstm_36kb_sound", "lstm_int8_36kb"):
                del params["variants"][name]
            del params["quantize"]["networks"]["lstm_int8_36kb-int8"]
            params["variants"]["lstm_36kb"]["train"] = {}
            # One network on varied sound covers the other, one on spectrograms too.
            for name in ("micro", "cnn_lstm"):
                del params["variants"][name]
            # Integer graphs and the other weight code are tested by themselves.
            for name in ("tiny-int8", "micro-int8", "lstm_36kb-pow2"):
                del params["quantize"]["networks"][name]
            params["variants"]["tiny"] |= {
                "stem_channels": 4,
                "blocks": [
                    {"channels": 8, "stride": [2, 2]},
                    {"channels": 8, "stride": [1, 1]},
                ],
            }
            params["variants"]["tiny"]["train"] |= {"epochs": 2, "batch_size": 8}
            params["variants"]["tiny"]["train"]["sound"]["mel_banks"] = 3
            params["variants"]["cnn"]["train"] |= {"epochs": 2, "batch_size": 8}
            params["variants"]["cnn"] |= {"conv_channels": [2, 2], "linear_dims": [16, 8, 8]}
            params["features"]["spectrogram"] |= {"n_fft": 256}
            params["measure"]["clips"] = 5
            params["detect"]["words"] = 10
            params["detect"] |= {"noise_hours": 0.02, "babble_hours": 0.02}
            params["detect"]["synthetic_minutes"] = 0.1

        self.change(edit)
        pipeline = self.folder / "dvc.yaml"
        text = pipeline.read_text()
        # One ONNX file covers the others, and one compiler of this machine.
        for old, new in (
            (
                "  export_onnx:\n    foreach: ${variants}",
                "  export_onnx:\n    foreach: {tiny: {architecture: ds_cnn, features: log_mel}}",
            ),
            (
                "stages/measure.py ${item.model} ${item.scheme}",
                "stages/measure.py ${item.model} ${item.scheme} --targets 'gcc -O0'",
            ),
        ):
            assert old in text
            text = text.replace(old, new)
        pipeline.write_text(text)

    def files(self) -> dict[str, bytes]:
        """Every file that stages make, with its content."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for top in ("data", "models", "metrics", "plots")
            for path in sorted((self.folder / top).rglob("*"))
            if path.is_file() and not path.name.startswith(".")  # .gitignore, locks
        }
