"""Which code each stage runs, as digests that DVC sees."""

from __future__ import annotations

import json
import shutil

import pytest
from recordings import REPOSITORY

from spoken_digits.errors import UserError
from spoken_digits.io import sources, stage_sources


@pytest.fixture
def checkout(tmp_path):
    """A copy of the code that runs."""
    for folder in ("spoken_digits", "stages"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def test_every_stage_and_every_module_that_is_loaded_by_name_has_a_file(digests):
    scripts = {path.stem for path in (REPOSITORY / "stages").glob("*.py")}
    assert {path.stem for path in (digests / "stages").iterdir()} == scripts
    modules = digests / "spoken_digits"
    for name in ("augmentation/sound", "features/mfcc", "models/architectures/lstm"):
        assert f"spoken_digits/{name}" in (modules / f"{name}.json").read_text()
    assert (modules / "quantization" / "integer.json").exists()
    train = json.loads((digests / "stages" / "train.json").read_text())
    assert {"stages/train.py", "spoken_digits/training/loop.py"} <= train.keys()
    assert "spoken_digits/predict.py" not in train
    assert not [path for path in train if not (REPOSITORY / path).is_file()]


def test_what_lies_beside_modules_counts(digests):
    page = json.loads((digests / "stages" / "demo.json").read_text())
    assert {"spoken_digits/demo/browser/page.js", "spoken_digits/demo/node/hear.js"} <= page.keys()
    report = json.loads((digests / "stages" / "report_page.json").read_text())
    assert "spoken_digits/evaluation/html_report/style.css" in report
    assert not [path for path in report if "__pycache__" in path]


def test_an_editors_hidden_file_does_not_count(checkout):
    script = checkout / "stages" / "report_page.py"
    before = stage_sources.digests_of_script(script, checkout)
    folder = checkout / "spoken_digits" / "evaluation" / "html_report"
    (folder / ".style.css.swp").write_text("half a style")
    assert stage_sources.digests_of_script(script, checkout) == before
    (folder / "more.css").write_text("another style")
    assert len(stage_sources.digests_of_script(script, checkout)) == len(before) + 1


def test_other_code_than_that_of_the_checkout_must_not_run(checkout):
    stage_sources.write(checkout)
    assert (checkout / "data" / "sources" / "stages" / "train.json").exists()
    loop = checkout / "spoken_digits" / "training" / "loop.py"
    before = loop.read_text()
    loop.write_text(before + "\n# said otherwise\n")
    stage_sources.write(checkout)
    loop.write_text(before + "\nEDIT = 1\n")
    refused = rf"spoken_digits/training/loop.py of this folder is not what runs.*{sources.ROOT}"
    with pytest.raises(UserError, match=refused):
        stage_sources.write(checkout)
    loop.write_text(before)
    (checkout / "spoken_digits" / "added.py").touch()
    with pytest.raises(UserError, match="added.py of this folder"):
        stage_sources.write(checkout)
    (checkout / "spoken_digits" / "added.py").unlink()
    with (checkout / "spoken_digits" / "demo" / "browser" / "page.js").open("a") as file:
        file.write("// another page\n")
    with pytest.raises(UserError, match="page.js of this folder"):
        stage_sources.write(checkout)
