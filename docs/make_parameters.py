"""docs/parameters.md from the dataclasses that read params.yaml.

Run     python docs/make_parameters.py
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

from spoken_digits.augmentation.sound_params import LastEpochs, SoundParams
from spoken_digits.corpora import CorpusParams, SpeechCommandsParams, SyntheticParams
from spoken_digits.data.splits import SplitParams
from spoken_digits.embedded.toolchain import MeasureParams
from spoken_digits.evaluation.conditions import RobustnessParams
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.study_params import SomeParams, StrangersParams, StudyParams
from spoken_digits.features.log_mel import LogMelParams
from spoken_digits.features.mfcc import MfccParams
from spoken_digits.features.parallel import ParallelParams
from spoken_digits.features.registry import FeatureParams
from spoken_digits.features.spectrogram import SpectrogramParams
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.integer.qat import QatParams
from spoken_digits.models.architectures import cnn, cnn_lstm, ds_cnn, lstm
from spoken_digits.models.base import ModelParams
from spoken_digits.models.budget_params import BudgetParams
from spoken_digits.quantization.int8_dynamic import Int8DynamicParams
from spoken_digits.quantization.networks import NetworkParams
from spoken_digits.rejection.params import OpenParams, RejectionParams, RepeatParams
from spoken_digits.training.planning import TrainParams
from spoken_digits.training.recipe import Recipe
from spoken_digits.validation import describe, field_hints

SECTIONS: dict[str, list[type]] = {
    "corpus": [CorpusParams],
    "corpus.rejection": [RejectionParams],
    "corpus.rejection.models.<name>": [OpenParams],
    "corpus.rejection.repeat": [RepeatParams],
    "corpus.speech_commands": [SpeechCommandsParams],
    "corpus.synthetic": [SyntheticParams],
    "features": [FeatureParams],
    "features.mfcc": [MfccParams],
    "features.mfcc_int": [FrontendSpec],
    "features.log_mel": [LogMelParams],
    "features.spectrogram": [SpectrogramParams],
    "features.parallel": [ParallelParams],
    "split": [SplitParams],
    "train": [Recipe, TrainParams],
    "train.sound": [SoundParams],
    "train.sound.last_epochs": [LastEpochs],
    "variants.<name>": [ModelParams],
    "model, and variants.<name> with `architecture: lstm`": [lstm.Params],
    "<model>.budget": [BudgetParams],
    "variants.<name> with `architecture: cnn`": [cnn.Params],
    "variants.<name> with `architecture: cnn_lstm`": [cnn_lstm.Params],
    "variants.<name> with `architecture: ds_cnn`": [ds_cnn.Params],
    "variants.<name>.blocks": [ds_cnn.BlockParams],
    "quantize.int8_dynamic": [Int8DynamicParams],
    "quantize.int8, quantize.pow2": [QatParams],
    "quantize.networks.<name>": [NetworkParams],
    "measure": [MeasureParams],
    "detector": [DetectorParams],
    "detect": [DetectParams],
    "robustness": [RobustnessParams],
    "studies": [StudyParams],
    "studies.official, studies.with_voices": [SomeParams],
    "studies.strangers": [StrangersParams],
}
INTRODUCTION = """# Parameters

Made by `python docs/make_parameters.py` from the code that reads `params.yaml`; a test keeps them
together. Values out of bounds are refused with the key's name and an example. `seed`, a whole
number from 0 to 2,147,483,647, draws the split, the initial weights, the order of clips and the
augmentation. A model's `train` overrides keys of section `train`; its `train_on.<corpus>`
overrides them on one corpus.

Experiments set any of them: `dvc exp run -S train.epochs=20 -S variants.cnn.dropout=0.3`.
"""


def fields(schema: type) -> list[tuple[str, str, str]]:
    """Name, accepted values and meaning of each field of a dataclass, without inherited ones."""
    (tree,) = ast.parse(inspect.getsource(schema)).body
    assert isinstance(tree, ast.ClassDef)
    hints = field_hints(schema)
    found = []
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            meaning = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                meaning = " ".join(str(following.value.value).split())
            key = node.target.id
            found.append((key, describe(hints[key]), meaning))
    return found


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for name, schemas in SECTIONS.items():
        lines = [f"## {name}\n", "| key | value | meaning |", "|---|---|---|"]
        for schema in schemas:
            for key, accepted, meaning in fields(schema):
                lines.append(f"| `{key}` | {accepted} | {meaning} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("parameters.md").write_text(page(), encoding="utf-8")
