"""The package as a wheel: what is installed predicts without a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import soundfile
from damaged import MODELS, write_damaged
from recordings import REPOSITORY, tone

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "spoken_digits")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """What an installer would put beside other packages, unpacked from the wheel."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, source / name)
    command = ["uv", "build", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run(
        [*command, "--out-dir", str(folder), str(source)], check=True, capture_output=True
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("scheme", ["int8", pytest.param("float32", marks=pytest.mark.exhaustive)])
def test_a_wheel_predicts_outside_the_checkout(scheme, installed, tmp_path):
    write_damaged(tmp_path / "m.safetensors", MODELS[scheme](), lambda card, tensors: None)
    soundfile.write(tmp_path / "a.flac", tone(440, 0.4), 8000)
    code = (
        "import spoken_digits; print(spoken_digits.__file__)\n"
        "from spoken_digits.cli.main import entry; entry()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "predict", "m.safetensors", "a.flac"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    where, line = done.stdout.splitlines()
    assert Path(where).is_relative_to(installed)
    assert line.startswith("a.flac: ")


def test_the_command_is_a_console_script(installed):
    (points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "spoken-digits = spoken_digits.cli.main:entry" in points.read_text()


def test_the_page_of_the_demo_is_in_the_wheel(installed):
    kept = Path("spoken_digits/demo/browser")
    files = {path.name for path in (REPOSITORY / kept).iterdir()}
    assert len(files) > 10
    assert {path.name for path in (installed / kept).iterdir()} == files
