from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import torch
from damaged import MODELS, add, drop, fill, lose, put, tensor, write_damaged
from recordings import REPOSITORY, tone

from spoken_digits.errors import UserError
from spoken_digits.predict import Recogniser

HUGE = 10**9
LONGEST_S, LARGEST_KIB = 5, 400_000

CARD = {
    "text, no JSON": lambda card, _: "{",
    "a number": lambda card, _: "1",
    "empty": lambda card, _: "{}",
    "a list": lambda card, _: "[]",
    "null": lambda card, _: "null",
    "deep nesting": lambda card, _: "[" * 100_000,
    "a huge number": lambda card, _: json.dumps(card).replace('"best_epoch": 1', "1" * 10_000),
    "name missing": drop("name"),
    "name a number": put("name", to=3),
    "name empty": put("name", to=""),
    "name endless": put("name", to="x" * 100_000),
    "unknown key": put("colour", to="red"),
    "architecture missing": drop("architecture"),
    "architecture a text": put("architecture", to="lstm"),
    "architecture without name": drop("architecture", "name"),
    "architecture unknown": put("architecture", "name", to="transformer"),
    "architecture a list": put("architecture", "name", to=["lstm"]),
    "argument unknown": put("architecture", "colour", to=1),
    "argument of params.yaml alone": put("architecture", "train", to={}),
    "hidden_dim missing": drop("architecture", "hidden_dim"),
    "hidden_dim a text": put("architecture", "hidden_dim", to="4"),
    "hidden_dim a fraction": put("architecture", "hidden_dim", to=4.5),
    "hidden_dim null": put("architecture", "hidden_dim", to=None),
    "hidden_dim true": put("architecture", "hidden_dim", to=True),
    "hidden_dim a list": put("architecture", "hidden_dim", to=[4]),
    "hidden_dim negative": put("architecture", "hidden_dim", to=-4),
    "hidden_dim 0": put("architecture", "hidden_dim", to=0),
    "hidden_dim 5": put("architecture", "hidden_dim", to=5),
    "hidden_dim huge": put("architecture", "hidden_dim", to=HUGE),
    "hidden_dim beyond 64 bits": put("architecture", "hidden_dim", to=10**30),
    "num_layers 0": put("architecture", "num_layers", to=0),
    "num_layers 2": put("architecture", "num_layers", to=2),
    "num_layers huge": put("architecture", "num_layers", to=HUGE),
    "dropout a text": put("architecture", "dropout", to="none"),
    "pooling unknown": put("architecture", "pooling", to="max"),
    "pooling a number": put("architecture", "pooling", to=1),
    "labels missing": drop("labels"),
    "labels a text": put("labels", to="abc"),
    "labels numbers": put("labels", to=[1, 2, 3]),
    "labels none": put("labels", to=[]),
    "labels too few": put("labels", to=["ja", "nein"]),
    "labels too many": put("labels", to=["ja", "nein", "halt", "los"]),
    "labels a million": put("labels", to=[str(i) for i in range(1_000_000)]),
    "labels twice": put("labels", to=["ja", "ja", "halt"]),
    "label empty": put("labels", 0, to=""),
    "features missing": drop("features"),
    "features empty": put("features", to={}),
    "features a text": put("features", to="mfcc"),
    "features of unknown kind": put("features", "kind", to="wavelet"),
    "features of a list of kinds": put("features", "kind", to=["mfcc"]),
    "features with an unknown key": put("features", "colour", to=1),
    "sample_rate missing": drop("features", "sample_rate"),
    "sample_rate 0": put("features", "sample_rate", to=0),
    "sample_rate huge": put("features", "sample_rate", to=HUGE),
    "sample_rate a text": put("features", "sample_rate", to="8000"),
    "n_fft 0": put("features", "n_fft", to=0),
    "n_mels 0": put("features", "n_mels", to=0),
    "n_frames 0": put("features", "n_frames", to=0),
    "n_fft huge": put("features", "n_fft", to=HUGE),
    "n_mels huge": put("features", "n_mels", to=HUGE),
    "n_mels fewer than n_mfcc": put("features", "n_mels", to=5),
    "n_mels infinite": lambda card, _: json.dumps(card).replace('"n_mels": 40', '"n_mels": 1e400'),
    "hop_length negative": put("features", "hop_length", to=-160),
    "n_frames huge": put("features", "n_frames", to=HUGE),
    "n_frames other than input_shape": put("features", "n_frames", to=35),
    "n_mfcc other than input_shape": put("features", "n_mfcc", to=12),
    "input_shape missing": drop("input_shape"),
    "input_shape of three": put("input_shape", to=[36, 13, 1]),
    "input_shape a number": put("input_shape", to=36),
    "input_shape texts": put("input_shape", to=["36", "13"]),
    "input_shape negative": put("input_shape", to=[-36, 13]),
    "input_shape huge": put("input_shape", to=[HUGE, 13]),
    "mean missing": drop("mean"),
    "mean empty": put("mean", to=[]),
    "mean NaN": put("mean", to=[float("nan")]),
    "mean infinite": lambda card, _: json.dumps(card).replace('"mean": [0.0]', '"mean": [1e400]'),
    "mean a number": put("mean", to=0.0),
    "mean of two": put("mean", to=[0.0, 0.0]),
    "std 0": put("std", to=[0.0]),
    "std 0 in single precision": put("std", to=[1e-60]),
    "std negative": put("std", to=[-1.0]),
    "std NaN": put("std", to=[float("nan")]),
    "std a text": put("std", to=["1"]),
    "best_epoch a text": put("best_epoch", to="last"),
    "best_epoch negative": put("best_epoch", to=-1),
    "corpus missing": drop("corpus"),
    "corpus a text": put("corpus", to="fsdd"),
    "corpus without fingerprint": drop("corpus", "fingerprint"),
    "corpus synthetic a text": put("corpus", "synthetic", to="no"),
    "split a number": put("split", to=5),
    "split no digest": put("split", to="random"),
    "scheme unknown": put("scheme", to="int4"),
    "scheme a number": put("scheme", to=8),
    "scheme of other tensors": put("scheme", to="int8"),
    "scheme_params a list": put("scheme_params", to=[]),
}

WEIGHT = "lstm.weight_ih_l0"
TENSORS = {
    "NaN": fill(WEIGHT, float("nan")),
    "infinity": fill("linear.bias", float("inf")),
    "double precision": tensor(WEIGHT, lambda t: t.double()),
    "half precision": tensor(WEIGHT, lambda t: t.half()),
    "whole numbers": tensor(WEIGHT, lambda t: t.int()),
    "transposed": tensor(WEIGHT, lambda t: t.T.contiguous()),
    "one row less": tensor(WEIGHT, lambda t: t[1:].contiguous()),
    "flat": tensor(WEIGHT, lambda t: t.reshape(-1)),
    "empty": tensor(WEIGHT, lambda t: t[:0]),
    "missing": lose(WEIGHT),
    "none at all": lambda card, tensors: tensors.clear(),
    "one too many": add("extra"),
    "a name to steer the terminal": add("\x1b[31m"),
    # Whatever the sign of the pooled hidden state, one of the two words overflows.
    "overflow": lambda card, tensors: [
        tensors["linear.bias"].fill_(3.3e38),
        tensors["linear.weight"].fill_(3.3e38),
        tensors["linear.weight"][1].neg_(),
    ],
}
CNN = {
    "kernel_size 0": put("architecture", "kernel_size", to=0),
    "kernel_size huge": put("architecture", "kernel_size", to=HUGE),
    "kernel_size larger than the picture": put("architecture", "kernel_size", to=99),
    "conv_channels a number": put("architecture", "conv_channels", to=2),
    "conv_channels huge": put("architecture", "conv_channels", to=[HUGE, HUGE]),
    "conv_channels too many": put("architecture", "conv_channels", to=[2] * 10_000),
    "linear_dims texts": put("architecture", "linear_dims", to=["16", "8"]),
    "linear_dims huge": put("architecture", "linear_dims", to=[2**40, 2**40]),
    "linear_dims endless": put("architecture", "linear_dims", to=[1] * 1_000_000),
    "n_samples huge": put("features", "n_samples", to=HUGE),
    "hop_length 1": put("features", "hop_length", to=1),
}
DYNAMIC = {
    "layers missing": drop("scheme_params", "layers"),
    "layers unknown": put("scheme_params", "layers", to=["conv"]),
    "layers a text": put("scheme_params", "layers", to="lstm"),
    "layers fewer": put("scheme_params", "layers", to=["lstm"]),
    "weights as floats": tensor(WEIGHT, lambda t: t.float()),
    "scale missing": lose(WEIGHT + ".scale"),
    "scale NaN": tensor(WEIGHT + ".scale", lambda t: t * torch.nan),
    "scale 0": tensor(WEIGHT + ".scale", lambda t: t * 0),
    "scale of two": tensor(WEIGHT + ".scale", lambda t: t.repeat(2)),
    "zero point out of range": tensor(WEIGHT + ".zero_point", lambda t: t + 1000),
    "bias NaN": fill("linear.bias", float("nan")),
    "bias missing": lose("linear.bias"),
}
INTEGER = {
    "weights as floats": tensor("node_001.weight", lambda t: t.float()),
    "weights NaN": tensor("node_001.weight", lambda t: t.float() * torch.nan),
    "weight -128": fill("node_001.weight", -128),
    "weight shape": tensor("node_001.weight", lambda t: t.T.contiguous()),
    "bias too large": fill("node_001.bias", 2**31 - 1),
    "output bias too large": fill("node_003.bias", -(2**31)),
    "output weight -128": fill("node_003.weight", -128),
    "row shift": fill("node_001.shift", 25),
    "input shift": fill("node_000.shift", 9),
    "cell bits": fill("node_001.cell_bits", 13),
    "cell bits of two": tensor("node_001.cell_bits", lambda t: t.repeat(2)),
    "output shift of two": tensor("node_003.shift", lambda t: t.repeat(2)),
    "a layer missing": put("architecture", "num_layers", to=2),
    "layer missing": lambda card, tensors: [tensors.pop(n) for n in list(tensors) if "_001" in n],
    "bias missing": lose("node_001.bias"),
    "one too many": add("node_004.weight"),
    "normalised": put("std", to=[2.0]),
    "of a CNN": put("architecture", to={**json.loads('{"name": "cnn"}')}),
    "hop_length too large": put("features", "hop_length", to=257),
    "lifter a list": put("features", "lifter", to=[22]),
    "lifter huge": put("features", "lifter", to=10**30),
    "features of an older front-end": put("features", "gains", to=[79] * 13),
    "floor of nothing": put("features", "floor_lsb", to=0.0),
    "floor_lsb NaN": put("features", "floor_lsb", to=float("nan")),
    "level_decay_db missing": drop("features", "level_decay_db"),
    "fmax infinite": put("features", "fmax", to=float("inf")),
}
DAMAGES = {
    **{f"float32 card: {name}": ("float32", damage) for name, damage in CARD.items()},
    **{f"float32 tensor: {name}": ("float32", damage) for name, damage in TENSORS.items()},
    **{f"cnn: {name}": ("cnn", damage) for name, damage in CNN.items()},
    **{f"int8_dynamic: {name}": ("int8_dynamic", damage) for name, damage in DYNAMIC.items()},
    **{f"int8: {name}": ("int8", damage) for name, damage in INTEGER.items()},
    "pow2: weight 3": ("pow2", fill("node_001.weight", 3)),
    "pow2: weight 127": ("pow2", fill("node_003.weight", 127)),
}


@pytest.fixture(scope="module")
def models():
    return {name: make() for name, make in MODELS.items()}


@pytest.mark.parametrize("kind", MODELS)
def test_every_scheme_predicts(kind, models, tmp_path):
    write_damaged(tmp_path / "m.safetensors", models[kind], lambda card, tensors: None)
    chances = Recogniser(tmp_path / "m.safetensors")(tone(440, 0.4), 8000)
    assert chances.shape == (3,)
    np.testing.assert_allclose(chances.sum(), 1)


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_model_file_is_one_line(case, models, tmp_path):
    kind, damage = DAMAGES[case]
    path = tmp_path / "m.safetensors"
    write_damaged(path, models[kind], damage)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    with pytest.raises(UserError) as caught:
        Recogniser(path)(tone(440, 0.4), 8000)
    assert time.monotonic() - start < LONGEST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST_KIB
    line = str(caught.value)
    assert str(path) in line
    assert line.isprintable()
    assert line.count("`") % 2 == 0
    assert len(line) < 600
    assert "dvc repro" in line


def predict(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "spoken_digits.predict", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        **options,
    )


@pytest.mark.parametrize(
    "case",
    [
        "float32 tensor: a name to steer the terminal",
        "int8: weights as floats",
    ],
)
def test_the_command_exits_with_one_line(case, models, tmp_path):
    kind, damage = DAMAGES[case]
    write_damaged(tmp_path / "m.safetensors", models[kind], damage)
    soundfile.write(tmp_path / "a.wav", tone(440, 0.4), 8000)
    result = predict(tmp_path / "m.safetensors", tmp_path / "a.wav")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert result.stderr.rstrip("\n").isprintable()


def test_labels_and_file_names_cannot_steer_the_terminal(models, tmp_path):
    labels = ["\x1b[2Jja\n", "für", "\u202enein"]
    write_damaged(tmp_path / "m.safetensors", models["float32"], put("labels", to=labels))
    soundfile.write(tmp_path / "a\x1b.wav", tone(440, 0.4), 8000)
    result = predict(tmp_path / "m.safetensors", tmp_path / "a\x1b.wav")
    assert result.returncode == 0
    assert result.stdout.count("\n") == 1
    assert result.stdout.rstrip("\n").isprintable()
    for shown in ("\\x1b[2Jja\\n ", "für ", "\\u202enein ", "a\\x1b.wav: "):
        assert shown in result.stdout


def test_a_path_that_is_not_a_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in (tmp_path, tmp_path / "pipe.safetensors"):
        with pytest.raises(UserError, match="is not a whole .safetensors file"):
            Recogniser(path)
    with (tmp_path / "huge.safetensors").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UserError, match="the largest allowed is"):
        Recogniser(tmp_path / "huge.safetensors")


def test_a_model_file_without_a_split_predicts(models, tmp_path):
    write_damaged(tmp_path / "m.safetensors", models["float32"], drop("split"))
    assert Recogniser(tmp_path / "m.safetensors").card.split is None
