"""WebAssembly of a detector, the folder that holds it, and the page: all but the browser."""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from detectors import words_in_noise, write_detector, write_model, write_open_model
from recordings import REPOSITORY

from spoken_digits.cli import main
from spoken_digits.demo import making, module, outside, page, parts, serving
from spoken_digits.errors import UserError
from spoken_digits.evaluation.html_report import palette
from spoken_digits.listen.model import open_listener

FIRMWARE = REPOSITORY / "firmware"
WEB = "stages/web.py"
MOST_CODE_BYTES = 19_000  # beside the parameters: with those of tiny, 150 KiB of page
MOST_PAGE_BYTES = 53_000  # without modules: with those of all recorded models, 400 KiB

needs_clang = pytest.mark.skipif(bool(module.missing()), reason=f"needs {module.PACKAGES}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model, and in ``made`` what stage `web` makes of it."""
    folder = tmp_path_factory.mktemp("web")
    making.make(write_model(folder / "small.int8.safetensors"), FIRMWARE, folder / "made")
    return folder


def sections(content: bytes) -> dict[int, bytes]:
    """The sections of a WebAssembly module by their number (core specification, 5.5)."""
    assert content[:8] == b"\0asm\1\0\0\0"
    found, at = {}, 8
    while at < len(content):
        number, (size, at) = content[at], leb128(content, at + 1)
        found[number] = content[at : at + size]
        at += size
    return found


def leb128(content: bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


@needs_clang
def test_a_module_needs_nothing_and_offers_the_functions_of_the_header(folder):
    content = (folder / "made" / parts.MODULE).read_bytes()
    found = sections(content)
    imports, exports = 2, 7
    assert imports not in found
    names = set(re.findall(rb"sd_web_\w+|memory", found[exports]))
    assert names == {name.encode() for name in module.EXPORTS} | {b"memory"}
    header = (FIRMWARE / "web" / "detector_web.h").read_text()
    declared = re.findall(r"(sd_web_\w+)\((?:void|uint32_t[^)]*)\);", header)
    assert sorted(declared) == sorted(module.EXPORTS)
    network = open_listener(folder / "small.int8.safetensors").network
    assert len(content) - network.parameter_bytes() <= MOST_CODE_BYTES


@needs_clang
@pytest.mark.skipif(shutil.which(outside.PROGRAM) is None, reason=f"needs {outside.PACKAGES}")
@pytest.mark.parametrize("sliding", [False, True])
def test_events_are_those_of_python(sliding, tmp_path):
    model = write_open_model(tmp_path / "open.int8.safetensors")
    listener = open_listener(model, sliding=True)
    spec, network = listener.detector, listener.network
    with module.Sources(FIRMWARE, spec, network, listener.frontend, listener.sliding) as sources:
        built = sources.build()
    samples, _ = words_in_noise(15, 8)
    right = open_listener(model, sliding=sliding).listening().hear(samples)
    assert len(right) > 3
    assert outside.events_of(built, [samples], windows=sliding) == right


@needs_clang
@pytest.mark.skipif(shutil.which(outside.PROGRAM) is None, reason=f"needs {outside.PACKAGES}")
def test_a_module_without_a_window_refuses_to_slide(folder):
    built = (folder / "made" / parts.MODULE).read_bytes()
    with pytest.raises(UserError, match=r"does not fit this page \(6\)"):
        outside.events_of(built, [np.zeros(8000, np.int16)], windows=True)


def as_it_is(path: Path) -> tuple[int, int]:
    """Tells whether a file was written again; reading it changes nothing of this."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


@needs_clang
def test_a_module_of_the_same_sources_stays_whatever_is_installed(folder, tmp_path, monkeypatch):
    model = Path(shutil.copy(folder / "small.int8.safetensors", tmp_path))
    write_detector(model)
    made = tmp_path / "made"
    shutil.copytree(folder / "made", made)
    before = as_it_is(made / parts.MODULE)
    for tool in (module.COMPILER, module.LINKER):  # another version: its bytes differ
        (tmp_path / "other" / tool).parent.mkdir(exist_ok=True)
        (tmp_path / "other" / tool).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / "other" / tool).chmod(0o755)
    for installed in ("other", "nothing"):
        monkeypatch.setenv("PATH", str(tmp_path / installed))
        assert bool(module.missing()) == (installed == "nothing")
        assert "built before from the same sources" in making.make(model, FIRMWARE, made)
        assert as_it_is(made / parts.MODULE) == before
    # That of another detector does not stand for this one.
    write_detector(model, threshold=0.5)
    line = making.make(model, FIRMWARE, made)
    assert "not built (clang is not installed; wasm-ld is not installed; Debian: clang lld)" in line
    assert not (made / parts.MODULE).exists()
    found = parts.read(made)
    assert found["not_built"].startswith("clang is not installed")
    monkeypatch.undo()
    assert "bytes of WebAssembly" in making.make(model, FIRMWARE, made)
    assert parts.read(made)["detector"]["threshold"] == 5000


def test_dvc_leaves_the_modules_for_the_stage_to_look_at():
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"].values()
    makers = [one for one in (stage.get("do", stage) for stage in stages) if WEB in one["cmd"]]
    assert makers
    for maker in makers:
        for out in maker["outs"]:
            assert isinstance(out, dict), f"{out} is not kept: it needs `persist: true`"
            assert all(options["persist"] for options in out.values())


def test_a_changed_source_or_option_is_another_module(folder, tmp_path, monkeypatch):
    listener = open_listener(folder / "small.int8.safetensors")
    firmware = Path(shutil.copytree(FIRMWARE, tmp_path / "firmware"))

    def digest() -> str:
        spec, network = listener.detector, listener.network
        with module.Sources(firmware, spec, network, listener.frontend) as sources:
            return sources.digest()

    found = {digest()}
    assert found == {digest()}
    for name in ("sd_mel.c", "sd_fixed.h", "web/detector_web.c"):
        (firmware / name).write_text((firmware / name).read_text() + "\n")
        found.add(digest())
    monkeypatch.setattr(module, "_OPTIONS", (*module._OPTIONS, "-O3"))
    assert len(found | {digest()}) == 5


@needs_clang
def test_a_damaged_folder_is_one_line_and_made_again(folder, tmp_path):
    model = folder / "small.int8.safetensors"
    made = Path(shutil.copytree(folder / "made", tmp_path / "made"))
    whole = (made / parts.MODULE).read_bytes()
    (made / parts.MODULE).unlink()
    with pytest.raises(UserError, match=r"detector.wasm is missing: make it with `dvc repro web`"):
        parts.read(made)
    description = (made / parts.DESCRIPTION).read_text()
    (made / parts.MODULE).write_bytes(whole)
    (made / parts.DESCRIPTION).write_text("{")
    with pytest.raises(UserError, match=r"model.json is not valid JSON"):
        parts.read(made)
    assert not making.is_made(made, {})
    (made / parts.DESCRIPTION).write_text(description)
    (made / parts.MODULE).write_bytes(whole[:-1])
    with pytest.raises(UserError, match=r"detector.wasm is damaged: make it again with"):
        parts.read(made)
    assert "bytes of WebAssembly" in making.make(model, FIRMWARE, made)
    assert (made / parts.MODULE).read_bytes() == whole


# ---- the page


def model(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "labels": ["</script><b>", "כן"], **more}


def test_the_page_holds_all_and_loads_nothing():
    odd = page.page([model("{{script}}", module="AA==")])
    assert odd.count("{{script}}") == 1  # data, and no place to fill
    assert odd.count(page._script()) == 1
    text = page.page([model("a", module="AA=="), model("b", not_built="no <clang>")])
    assert len(page.page([]).encode()) <= MOST_PAGE_BYTES
    assert text.count("</script>") == 3  # a label ends none
    data = json.loads(re.findall(r'id="data">(.*?)</script>', text, re.S)[0])
    assert data["models"] == [model("a", module="AA==")]
    assert data["missing"] == [{"name": "b", "reason": "no <clang>"}]
    assert "{{" not in text.partition("<script")[0]
    assert not re.findall(
        r"""(?:src|href|action)\s*=|url\(|@import|\bimport\b.*from|https?:""", text
    )
    assert not re.findall(r"\son\w+\s*=|\sstyle\s*=", text.partition("<script")[0])


def test_the_policy_allows_this_script_and_style_and_webassembly_alone():
    text = page.page([])
    content = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0]
    rules = {rule.split()[0]: rule.split()[1:] for rule in content.split("; ")}
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    script, *others = rules["script-src"]
    assert script.startswith("'sha256-")
    assert others == ["'wasm-unsafe-eval'", "blob:"]
    (style,) = rules["style-src"]
    assert style.startswith("'sha256-")
    assert set(rules) == {"default-src", "script-src", "style-src", "base-uri", "form-action"}


def test_everything_on_the_page_has_a_name_and_its_colours_stand_out():
    text = re.sub(r"<(style|script).*?</\1>", "", page.page([]), flags=re.S)
    root = ElementTree.fromstring(text.removeprefix("<!doctype html>\n"))
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    labelled = {e.get("for") for e in root.iter("label")}
    inside = {e.get("id") for label in root.iter("label") for e in label.iter("input")}
    for field in [*root.iter("input"), *root.iter("select")]:
        assert field.get("id") in labelled | inside
    for e in root.iter():
        assert {*(e.get("aria-labelledby") or "").split()} <= set(ids)
        if e.get("role") in ("img", "region"):
            assert e.get("aria-label")
    heads = [e.tag for e in root.iter() if re.fullmatch("h[1-6]", e.tag)]
    assert heads == ["h1", *["h2"] * (len(heads) - 1)]
    for colours in (palette.LIGHT, palette.DARK):
        assert palette.contrast(colours["accent"], colours["paper"]) >= 4.5  # of the main button
        for behind in ("paper", "raised", "tint"):
            assert palette.contrast(colours["ink"], colours[behind]) >= 4.5
        assert palette.contrast(colours["muted"], colours["paper"]) >= 4.5


def test_localhost_serves_the_page_and_nothing_else():
    addresses: list[str] = []
    ready = threading.Event()

    def serve() -> None:
        serving.serve(b"<p>", 0, lambda address: (addresses.append(address), ready.set()))

    threading.Thread(target=serve, daemon=True).start()
    assert ready.wait(10)
    with urllib.request.urlopen(addresses[0]) as answer:
        assert answer.read() == b"<p>"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(addresses[0] + "etc/passwd")
    port = int(addresses[0].rstrip("/").rpartition(":")[2])
    with pytest.raises(UserError, match=rf"port {port} cannot be used .*: choose another"):
        serving.serve(b"", port, print)


@needs_clang
def test_the_command_writes_a_page_of_a_model(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    goal, path = tmp_path / "words.html", str(folder / "small.int8.safetensors")
    main.main(["demo", path, "--output", str(goal)])
    assert f"{goal}: " in capsys.readouterr().out
    data = json.loads(re.findall(r'id="data">(.*?)</script>', goal.read_text(), re.S)[0])
    assert [one["name"] for one in data["models"]] == ["small.int8"]
    with pytest.raises(UserError, match="is a folder: name a file with --output"):
        main.main(["demo", path, "--output", str(tmp_path)])
    with pytest.raises(SystemExit):
        main.main(["demo", "--port", "70000"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="clang is not installed.*: install clang lld"):
        main.main(["demo", path, "--output", str(goal)])
