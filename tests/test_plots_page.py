"""The page and the templates of `dvc plots`: complete, self-contained, filled by DVC."""

import configparser
import csv
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dvc_render import VegaRenderer, render_html
from dvc_render.html import PAGE_HTML
from dvc_render.vega import OPTIONAL_ANCHORS

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".dvc" / "plots"
PAGE = FOLDER / "page.html"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("*.json"))

# What each template is drawn from: the columns of a file and a row of it, then x and y.
CURVE = (
    "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,corpus",
    "1,2.1,0.2,2.0,0.25,0.001,fsdd 1.0.10",
)
SIZE = (
    "model,scheme,parameters,size_kib,accuracy,accuracy_ci_low,accuracy_ci_high,corpus",
    "lstm,float32,206602,807.0,0.98,0.97,0.99,fsdd 1.0.10",
)
USES = {
    "accuracy_curves": (CURVE, "epoch", "val_accuracy"),
    "loss_curves": (CURVE, "epoch", "val_loss"),
    "training": (CURVE, "epoch", "val_accuracy"),
    "confusion_counts": (
        ("actual,predicted,corpus", "seven,nine,fsdd 1.0.10"),
        "predicted",
        "actual",
    ),
    "size_accuracy": (SIZE, "size_kib", "accuracy"),
    "f1_by_label": (
        ("label,precision,recall,f1,support,corpus", "seven,0.9,0.8,0.85,60,fsdd 1.0.10"),
        "f1",
        "label",
    ),
    "robustness": (
        ("model,condition,level,accuracy,n,corpus", "lstm,babble,10,0.9,600,fsdd 1.0.10"),
        "level",
        "accuracy",
    ),
}
# These distinguish models by a column, or by the file name, which DVC adds to every row.
BY_FILE_NAME = {"accuracy_curves", "loss_curves", "f1_by_label"}


def load_make_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_page", FOLDER / "make_page.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


make_page = load_make_page()


def remote_references(html: str) -> list[str]:
    """Return the parts of `html` that would make a browser fetch from elsewhere."""
    attribute = r"""\b(?:src|href|srcset|poster|action|data)\s*=\s*["']?(?:https?:)?//"""
    css = r"""@import\b|url\(\s*["']?(?:https?:)?//"""
    script = r"""\bimport\s*\(?\s*["'](?:https?:)?//"""
    return re.findall(rf"{attribute}[^\s\"'>]*|{css}|{script}", html, re.IGNORECASE)


def render(tmp_path: Path, template: str) -> tuple[str, dict[str, Any]]:
    """Return the page that DVC makes of one row with `template`, and the plot in it."""
    (columns, row), x, y = USES[template]
    (point,) = csv.DictReader([columns, row])
    point |= {"rev": "workspace", "filename": "plots/some/lstm.csv", "field": y}
    renderer = VegaRenderer(
        [point],
        f"plots/some/{template}.csv",
        template=template,
        template_dir=str(FOLDER),
        title="A title",
        x=x,
        y=y,
        x_label="along",
        y_label="up",
        anchors_y_definitions=[{"filename": "plots/some/lstm.csv", "field": y}],
    )
    plot = json.loads(renderer.partial_html())
    index = tmp_path / "index.html"
    render_html([renderer], index, html_template=PAGE)
    return index.read_text(encoding="utf-8"), plot


def test_dvc_is_told_to_use_the_page() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / ".dvc" / "config", encoding="utf-8")
    named = config.get("plots", "html_template")
    assert (ROOT / ".dvc" / named).resolve() == PAGE


def test_page_has_the_anchors_that_dvc_fills() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("{plot_divs}") == 1
    assert page.count("{refresh_tag}") == 1
    assert "{scripts}" not in page, "DVC would put its three network scripts there"


def test_page_fetches_nothing() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert remote_references(page) == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    assert "http" not in policy[1]
    assert "connect-src" not in policy[1]


def test_the_search_for_references_finds_those_of_dvcs_own_page() -> None:
    stock = PAGE_HTML.replace("{scripts}", VegaRenderer.SCRIPTS)
    assert len(remote_references(stock)) == 3


@pytest.mark.parametrize("library", make_page.LIBRARIES, ids=lambda lib: lib.name)
def test_inlined_script_is_the_version_it_says(library: Any) -> None:
    code = make_page.inlined(PAGE.read_text(encoding="utf-8"))[library.name]
    make_page.check_sum(library, code)
    assert f'"{library.version}"' in code


def test_a_changed_script_is_refused() -> None:
    library = make_page.LIBRARIES[0]
    code = make_page.inlined(PAGE.read_text(encoding="utf-8"))[library.name]
    with pytest.raises(make_page.PageError, match=library.name):
        make_page.check_sum(library, code + ";")


def test_page_is_up_to_date_with_its_skeleton() -> None:
    page = PAGE.read_text(encoding="utf-8")
    skeleton = make_page.SKELETON.read_text(encoding="utf-8")
    assert make_page.fill(skeleton, make_page.inlined(page)) == page, (
        "run: python .dvc/plots/make_page.py"
    )


def test_inlined_code_cannot_close_its_element() -> None:
    code = 'a = "</script>"; b = "</SCRIPT >";\n//# sourceMappingURL=a.js.map\n'
    assert make_page.inlinable(code) == r'a = "<\/script>"; b = "<\/SCRIPT >";'


def test_every_template_is_tested() -> None:
    assert sorted(USES) == TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_template_has_the_anchors_it_needs(template: str) -> None:
    text = (FOLDER / f"{template}.json").read_text(encoding="utf-8")
    spec = json.loads(text)
    series = {lib.name: lib.version.split(".")[0] for lib in make_page.LIBRARIES}
    assert spec["$schema"].endswith(f"/vega-lite/v{series['vega-lite']}.json")
    assert spec["data"] == {"name": "rows", "values": "<DVC_METRIC_DATA>"}
    assert "data('rows')[0].corpus" in spec["title"]["subtitle"]["expr"]
    anchors = set(re.findall(r"<DVC_METRIC_(\w+)>", text))
    assert {"TITLE", "X", "X_LABEL"} <= anchors
    # Both panels of `training` are named by their columns, so y is theirs alone.
    assert template == "training" or {"Y", "Y_LABEL"} <= anchors
    assert anchors <= {"DATA", "TITLE", "X", "Y", "X_LABEL", "Y_LABEL"}
    # With one of these and a single file, DVC drops the file's name from the rows.
    assert not anchors & {name.upper() for name in OPTIONAL_ANCHORS}


@pytest.mark.parametrize("template", TEMPLATES)
def test_dvc_fills_template_and_page(template: str, tmp_path: Path) -> None:
    html, plot = render(tmp_path, template)
    assert "DVC_METRIC" not in json.dumps(plot)
    assert len(plot["data"]["values"]) == 1
    assert template not in BY_FILE_NAME or plot["data"]["values"][0]["filename"]
    assert f"var spec = {json.dumps(plot)};" in html
    assert "{plot_divs}" not in html
    assert "{refresh_tag}" not in html
    assert remote_references(html) == []


@pytest.mark.parametrize("template", sorted(BY_FILE_NAME))
def test_template_reads_the_models_name_from_the_file_name(template: str) -> None:
    spec = json.loads((FOLDER / f"{template}.json").read_text(encoding="utf-8"))
    (formula,) = [step["calculate"] for step in spec["transform"] if step.get("as") == "model"]
    pattern = re.fullmatch(r"datum\.model \|\| replace\(datum\.filename, /(.*)/g, ''\)", formula)
    assert pattern
    for name in ("plots/curves/lstm.csv", "lstm.csv", r"plots\curves\lstm.csv"):
        assert re.sub(pattern[1], "", name) == "lstm"
    assert re.sub(pattern[1], "", "lstm.int8.csv") == "lstm.int8"


def test_the_two_curve_templates_differ_in_their_y_axis_only() -> None:
    accuracy, loss = (
        json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("accuracy_curves", "loss_curves")
    )
    for spec in (accuracy, loss):
        y = spec["layer"][0]["encoding"]["y"]
        del y["scale"], y["axis"]
        for step in spec["transform"] + spec["layer"][1]["transform"]:
            if step.get("as") == "written_y" or "shown_y" in str(step.get("filter")):
                step.clear()
    assert accuracy == loss
