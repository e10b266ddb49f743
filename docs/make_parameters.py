"""docs/parameters.md from the dataclasses that read params.yaml.

Run     python docs/make_parameters.py
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from spoken_digits.corpora import CorpusParams, SyntheticParams
from spoken_digits.data.splits import SplitParams
from spoken_digits.embedded.toolchain import MeasureParams
from spoken_digits.features.mfcc import MfccParams
from spoken_digits.features.parallel import ParallelParams
from spoken_digits.features.registry import FeatureParams
from spoken_digits.features.spectrogram import SpectrogramParams
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.architectures import cnn, cnn_lstm, lstm
from spoken_digits.models.base import ModelParams
from spoken_digits.models.budget_params import BudgetParams
from spoken_digits.quantization.int8_dynamic import Int8DynamicParams
from spoken_digits.training.recipe import Recipe

SECTIONS: list[tuple[str, type]] = [
    ("corpus", CorpusParams),
    ("corpus.synthetic", SyntheticParams),
    ("features", FeatureParams),
    ("features.mfcc", MfccParams),
    ("features.mfcc_int", FrontendSpec),
    ("features.spectrogram", SpectrogramParams),
    ("features.parallel", ParallelParams),
    ("split", SplitParams),
    ("train", Recipe),
    ("variants.<name>", ModelParams),
    ("model, and variants.<name> with `architecture: lstm`", lstm.Params),
    ("<model>.budget", BudgetParams),
    ("variants.<name> with `architecture: cnn`", cnn.Params),
    ("variants.<name> with `architecture: cnn_lstm`", cnn_lstm.Params),
    ("quantize.int8_dynamic", Int8DynamicParams),
    ("quantize.int8, quantize.pow2", QatParams),
    ("measure", MeasureParams),
]
INTRODUCTION = """# Parameters

Made by `python docs/make_parameters.py` from the code that reads `params.yaml`; a test keeps them
together. `seed` draws the split, initial weights, order and augmentation. A model's `train`
holds the keys of `train` that differ for it, `train_on.<corpus>` those that differ on one corpus.
`train.checkpoint_seconds`, the least time between two saved states of a training, changes no
result and trains nothing again. `quantize.networks` names the integer networks that are made,
measured and exported: a `model` and a `scheme` each.

Experiments set any of them: `dvc exp run -S train.epochs=20 -S variants.cnn.dropout=0.3`.
"""


def fields(schema: type) -> list[tuple[str, str, str]]:
    """Name, type and meaning of each field of a dataclass, as its source has them."""
    (tree,) = ast.parse(inspect.getsource(schema)).body
    assert isinstance(tree, ast.ClassDef)
    found = []
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            meaning = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                meaning = " ".join(str(following.value.value).split())
            found.append((node.target.id, ast.unparse(node.annotation), meaning))
    return found


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for name, schema in SECTIONS:
        lines = [f"## {name}\n", "| key | type | meaning |", "|---|---|---|"]
        for key, annotation, meaning in fields(schema):
            kind = annotation.replace("|", "or").replace("Literal", "one of ").replace("'", "")
            lines.append(f"| `{key}` | {kind} | {meaning} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("parameters.md").write_text(page(), encoding="utf-8")
