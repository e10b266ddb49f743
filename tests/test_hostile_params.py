"""Every key of params.yaml with wrong values of every kind, and unsuitable files."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import math
import operator
import random
import time
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from recordings import REPOSITORY

from spoken_digits.augmentation.sound_params import SoundParams
from spoken_digits.bounds import Bounds, Keys, Length
from spoken_digits.config import Config, convert_part, read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.corpora.spoken_params import SpokenVoicesParams
from spoken_digits.data import splits
from spoken_digits.embedded.toolchain import MeasureParams
from spoken_digits.errors import UserError
from spoken_digits.evaluation.conditions import RobustnessParams
from spoken_digits.evaluation.detection.params import DetectParams
from spoken_digits.evaluation.study_params import StudyParams
from spoken_digits.features.log_mel import LogMelParams
from spoken_digits.features.mfcc import MfccParams
from spoken_digits.features.registry import FeatureParams, make_extractor, read_feature_params
from spoken_digits.features.spectrogram import SpectrogramParams
from spoken_digits.integer.detector.params import DetectorParams
from spoken_digits.integer.frontend.specification import FrontendSpec
from spoken_digits.integer.qat import QatParams
from spoken_digits.io import strict_yaml
from spoken_digits.models.params import names, read_model_params
from spoken_digits.quantization.int8_dynamic import Int8DynamicParams
from spoken_digits.quantization.network_params import NetworkParams, settings_of
from spoken_digits.quantization.networks import read_networks
from spoken_digits.training.planning import TrainParams, read_recipe
from spoken_digits.validation import field_hints

CORPORA = ("fsdd", "audiomnist")
KINDS = {
    "mfcc": MfccParams,
    "mfcc_int": FrontendSpec,
    "log_mel": LogMelParams,
    "spectrogram": SpectrogramParams,
}
COMMITTED = read_config(REPOSITORY / "params.yaml")
COMMITTED_STEPS = COMMITTED["studies"]["ablation"]["steps"]
BATTERY = [
    *(None, True, False, 0, -1, 1, 2, 7, 0.5, -0.5, 1.5, 3.0, 1e-300, 1e300),
    *(10**9, -(10**9), 10**400, -(10**400), 10**5000, math.nan, math.inf, -math.inf),
    *("", "x", "auto", "long " * 10_000, "a\nb", "\x1b[2J\0", "5", "nan", "inf", "1e-05", "1e999"),
    *([], [1], [1, 2], ["lstm"], [[1]], [None], [10**9] * 2, [1] * 10_000, [math.nan]),
    *({}, {"a": 1}, {"fsdd": None}, {"fsdd": {}}, {1: 2}, {"epochs": {"epochs": 1}}),
    [[[[[[1]]]]]],
]


# How each section is read


def read_models(config: Config, only: str | None = None) -> None:
    for name in names(config):
        if only in (None, name):
            model = read_model_params(config, name)
            for corpus in CORPORA:
                read_recipe(config, name, model, corpus)


def read_features(config: Config) -> None:
    read_feature_params(config)
    for kind in KINDS:
        make_extractor(kind, config)


def read_split(config: Config) -> None:
    for corpus in CORPORA:
        splits.read_params(config, corpus)


def read_train(config: Config) -> None:
    read_models(config, "lstm")


def read_integer_networks(config: Config) -> None:
    for network in read_networks(config):
        settings_of(config, network.model, network.scheme, QatParams)


def reader(path: tuple[str, ...]) -> typing.Callable[[Config], Any]:
    """The function that reads the value at `path`, as the stages do."""
    section = path[0]
    if path[:2] == ("quantize", "networks"):
        return read_integer_networks
    if section == "quantize" and len(path) > 1:
        schema = Int8DynamicParams if path[1] == "int8_dynamic" else QatParams
        return lambda config: config.section(f"quantize.{path[1]}", schema)
    return {
        "seed": lambda config: config.value("seed", int),
        "corpus": lambda config: config.section("corpus", CorpusParams),
        "features": read_features,
        "split": read_split,
        "train": read_train,
        "model": lambda config: read_models(config, "lstm"),
        "variants": lambda config: read_models(config, path[1] if len(path) > 1 else None),
        "quantize": lambda config: config.section("quantize.int8", QatParams),
        "measure": lambda config: config.section("measure", MeasureParams),
        "detector": lambda config: config.section("detector", DetectorParams),
        "detect": lambda config: config.section("detect", DetectParams),
        "robustness": lambda config: config.section("robustness", RobustnessParams),
        "spoken_voices": lambda config: config.section("spoken_voices", SpokenVoicesParams),
        "studies": lambda config: config.section("studies", StudyParams),
    }[section]


# What each value may be, read from the declared types without the code that is tested


def hint_of(path: tuple[str, ...]) -> Any:
    """The declared type of the value at `path` of the committed file."""
    section, *rest = path
    if section in ("model", "variants"):
        name = "lstm" if section == "model" else rest.pop(0) if rest else None
        if name is None:
            return dict
        hint: Any = type(read_model_params(COMMITTED, name))
    elif section == "quantize":
        if not rest or rest == ["networks"]:
            return dict
        if rest[0] == "networks":
            del rest[:2]
            hint = NetworkParams
        else:
            hint = Int8DynamicParams if rest.pop(0) == "int8_dynamic" else QatParams
    elif section == "features" and rest and rest[0] in KINDS:
        hint = KINDS[rest.pop(0)]
    else:
        hint = {
            "seed": typing.Annotated[int, Bounds(0, 2**31 - 1)],
            "corpus": CorpusParams,
            "features": FeatureParams,
            "split": splits.SplitParams,
            "train": TrainParams,
            "measure": MeasureParams,
            "detector": DetectorParams,
            "detect": DetectParams,
            "robustness": RobustnessParams,
            "spoken_voices": SpokenVoicesParams,
            "studies": StudyParams,
        }[section]
    while rest:
        key = rest.pop(0)
        if key == "train":
            hint = TrainParams
        elif key in ("train_on", "split_on"):
            if not rest:
                return dict
            rest.pop(0)
            hint = TrainParams if key == "train_on" else splits.SplitParams
        elif typing.get_origin(hint) is dict:
            hint = SoundParams if key in COMMITTED_STEPS else typing.get_args(hint)[1]
        else:
            (plain,) = [o for o in options(hint) if dataclasses.is_dataclass(o)]
            hint = field_hints(plain)[key]
    return hint


def options(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (hint,)


def allowed(hint: Any, value: Any) -> bool:
    """Whether the declared bounds let `value` pass."""
    rule: Any = None
    if len(options(hint)) > 1:
        return any(allowed(option, value) for option in options(hint))
    if typing.get_origin(hint) is typing.Annotated:
        hint, rule = typing.get_args(hint)
    if hint is type(None) or value is None:
        return hint is type(None) and value is None
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    if typing.get_origin(hint) is Literal:
        return any(type(value) is type(o) and value == o for o in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        fits = isinstance(value, list) and (rule is None or rule.low <= len(value) <= rule.high)
        return fits and all(allowed(typing.get_args(hint)[0], item) for item in value)
    if hint is str:
        return isinstance(value, str) and value.isprintable() and 1 <= len(value) <= rule.high
    if hint in (int, float):
        value = 1e-05 if value == "1e-05" else value
        if not isinstance(value, int | float) or abs(value) > 1e301 or value != value:
            return False
        rule = rule or Bounds()
        within = rule.low <= value <= rule.high and rule.above < value < rule.below
        return within and (hint is float or value == int(value))
    return isinstance(value, dict)  # sections: the readers must have looked into them


def every_path(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Each section and each value of the file."""
    paths = [path] if path else []
    if isinstance(node, dict):
        for key, inner in node.items():
            paths += every_path(inner, (*path, key))
    return paths


PATHS = every_path(COMMITTED)
STEPS = ("studies", "ablation", "steps")
NAMED_BY_US = (("variants",), ("quantize", "networks"), ("corpus", "rejection", "models"), STEPS)
"""Sections whose keys are names that we chose."""


def with_value(path: tuple[str, ...], value: Any) -> Config:
    """The committed file with another value at `path`."""
    config = Config(copy.deepcopy(dict(COMMITTED)))
    node_above(config, path)[path[-1]] = value
    return config


def node_above(config: Config, path: tuple[str, ...]) -> Any:
    """The section that holds the last key of `path`."""
    return functools.reduce(operator.getitem, path[:-1], config)


def test_the_walk_sees_the_whole_file():
    assert len(PATHS) > 200
    assert ("variants", "cnn_lstm", "train_on", "audiomnist", "gradient_clip") in PATHS


# librosa says so where a band is narrower than a bin; that is no mistake in a value.
@pytest.mark.filterwarnings("ignore:Empty filters detected:UserWarning")
@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_key_with_every_wrong_value(path):
    read, config = reader(path), with_value(path, None)
    node = node_above(config, path)
    for value in BATTERY:
        node[path[-1]] = value
        try:
            read(config)
        except UserError as error:
            message = str(error)
            assert path[-1] in message
            assert "\n" not in message
            assert message.isprintable()
            assert message.count("`") % 2 == 0
            assert len(message) < 500
        else:
            assert allowed(hint_of(path), value), f"{path} took {value!r:.60}"


@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_every_key_misspelt_or_missing(path):
    config = Config(copy.deepcopy(dict(COMMITTED)))
    node = node_above(config, path)
    value = node.pop(path[-1])
    if not may_be_missing(path):
        with pytest.raises(UserError, match=path[-1]):
            reader(path)(config)
    if path[:-1] not in ((), ("quantize",), *NAMED_BY_US):
        node[path[-1] + "x"] = value
        with pytest.raises(UserError) as caught:
            reader(path)(config)
        assert path[-1] in str(caught.value)
        assert "did you mean" in str(caught.value)


def may_be_missing(path: tuple[str, ...]) -> bool:
    """Whether the key only changes something for one model or corpus, or is a name of ours."""
    changes = {"train", "train_on", "split_on", "steps"}.intersection(path[1:-1])
    return bool(changes) or path[:-1] in NAMED_BY_US or path in (("quantize",), ("variants",))


# Each schema


def schemas() -> set[type]:
    found: set[type] = set()
    todo: list[Any] = [
        CorpusParams,
        FeatureParams,
        *KINDS.values(),
        splits.SplitParams,
        TrainParams,
        MeasureParams,
        RobustnessParams,
        StudyParams,
    ]
    todo += [Int8DynamicParams, QatParams]
    todo += [type(read_model_params(COMMITTED, name)) for name in names(COMMITTED)]
    while todo:
        schema = todo.pop()
        found.add(schema)
        for hint in field_hints(schema).values():
            todo += [o for o in options(hint) if dataclasses.is_dataclass(o)]
    return found


@pytest.mark.parametrize("schema", sorted(schemas(), key=lambda s: s.__name__))
def test_every_number_and_text_has_bounds_and_an_example_within(schema):
    for key, declared in field_hints(schema).items():
        (hint,) = [option for option in options(declared) if option is not type(None)]
        plain, rule = (*typing.get_args(hint), None)[:2] if is_annotated(hint) else (hint, None)
        if plain in (int, float):
            assert isinstance(rule, Bounds), key
        elif plain is str or typing.get_origin(plain) is tuple:
            assert isinstance(rule, Length), key
        if isinstance(rule, Bounds | Length):
            assert convert_part(schema, {key: rule.example}, "section"), key


def is_annotated(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.Annotated


def test_bounds_in_words_and_numbers():
    assert str(Bounds(1, 10_000)) == "from 1 to 10,000"
    assert str(Bounds(above=0, high=10)) == "above 0 and at most 10"
    assert str(Bounds(0, below=1)) == "of at least 0 and below 1"
    edge = Bounds(0, 3, above=-1, below=3)
    assert [edge.hold(x) for x in (-1, 0, 2.9, 3, math.nan, math.inf)] == [
        *(False, True, True, False, False, False)
    ]
    assert not Bounds().hold(math.inf)
    assert Keys(("a",)).example is None


# Files


def read_text(tmp_path, content: bytes | str) -> Config:
    path = tmp_path / "params.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_config(path)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


DIFFERENT = ("08", "-010", "0o17", "1:30", "190:20:30.15", "+_1", "._5", "0_7")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("train:\n  epochs: 1\n  epochs: 2\n", "line 3: key 'epochs' is given twice.*line 2"),
        ("a: 1\nb: 1\na: 1\n", "line 3: key 'a' is given twice, first in line 1"),
        ("a: {b: 1, b: 1}", "line 1: key 'b' is given twice"),
        (BOMB, "line 1: anchors .* are not allowed"),
        ("a: 1\nb: *a\n", "line 2: anchors"),
        ("a: 1\nb: &c 1\n", "line 2: anchors"),
        ("a: 1\n&c b: 1\n", "line 2: anchors"),
        ("a:\n  <<: {b: 1}\n", "line 2: key '<<' is not a text"),
        ("a: !!python/object/apply:os.system [ls]", "line 1: tag .* is not allowed"),
        ("a: !!int 5", "line 1: tag"),
        ("a: !!binary gA==", "line 1: tag"),
        ("a:\n  5: 1\n", "line 2: key '5' is not a text: put it in quotes"),
        ("a:\n  true: 1\n", "line 2: key 'true' is not a text"),
        ("? [a]\n: 1\n", "line 1: key .* is not a text"),
        ("a: " + "[" * 17 + "]" * 17, "line 1: nested deeper than 16 levels"),
        ("a: " + "[" * 60_000, "line 1: nested deeper"),
        ("a: " + "{b: " * 15_000, "line 1: nested deeper"),
        ("a:\n" + "- " * 30_000, "line 2: nested deeper"),
        ("? " * 30_000, "line 1: nested deeper"),
        ("a: 1\nb: " + "9" * 5000, "line 2: a number that is too long"),
        ("a: 1\nb: 010\n", "line 2: 010 is different numbers or a text to different programs"),
        *((f"a: {value}\n", "line 1: .* put it in quotes") for value in DIFFERENT),
        ("a: =", "not valid YAML"),
        ("a: 1\n---\nb: 1\n", "not valid YAML"),
        ("a: [1\nb: }", "not valid YAML"),
        ("a:\n\tb: 1\n", "not valid YAML"),
        ("a: \0", "not valid YAML"),
        ("a: 'x", "not valid YAML"),
        ("%YAML 9.9\n---\na: 1", "not valid YAML"),
        (b"a: 1\nb: caf\xe9\n", "line 2, is not UTF-8"),
        ("a: 1\n".encode("utf-16"), "line 1, is not UTF-8"),
        ("", "must hold sections"),
        ("- 1\n", "must hold sections"),
        ("5", "must hold sections"),
        (b"#" * (strict_yaml.MAX_BYTES + 1), "is larger than 64 KiB"),
    ],
)
def test_hostile_files(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as caught:
        read_text(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    ["[" * 60_000, "a: [" * 15_000, "a\n" * 30_000, "- a\n" * 15_000, "'" * 60_000, "a: 1 #\n"],
)
def test_no_file_within_the_size_takes_long(tmp_path, content):
    start = time.process_time()
    with pytest.raises(UserError):
        read_text(tmp_path, content).section("train", TrainParams)
    assert time.process_time() - start < 20


def test_allowed_content_of_a_plain_file(tmp_path):
    plain = b"\xef\xbb\xbfsplit: {b: [1, 2.5, null]}\nseed: 2024-01-01\ntrain: 1e-05\n"
    config = read_text(tmp_path, plain)
    assert config == {"split": {"b": [1, 2.5, None]}, "seed": "2024-01-01", "train": 1e-5}


def scalars() -> Iterator[str]:
    """Every text of up to three letters that numbers are written with, and some longer ones."""
    letters = "0179+-._:exob~"
    for n in (1, 2, 3):
        yield from map("".join, itertools.product(letters, repeat=n))
    rng = random.Random(1)
    for _ in range(1500):
        yield "".join(rng.choice("0123456789+-._:eExXobBnatf") for _ in range(rng.randint(4, 8)))
    yield from ("null", "~", "yes", "Off", "true", "FALSE", "tRUE", "nul", "-.INF", "+.inf", ".NaN")
    yield from ("1e5", "1E+5", "1.e5", "1.5e5", ".5e+5", ".5e5", "1_000", "0b11", "0x1F", "0X1f")


def test_dvc_reads_the_same_values(tmp_path):
    """A value that we take for another one would not be what DVC compares with the record."""
    from dvc.utils.serialize import parse_yaml

    read, refused = dict[str, Any](), 0
    for scalar in dict.fromkeys(scalars()):
        try:
            (read[scalar],) = read_text(tmp_path, f"split:\n- {scalar}\n")["split"]
        except UserError:
            refused += 1
    theirs = parse_yaml("\n".join(f"- {scalar}" for scalar in read), "params.yaml")
    for (scalar, value), other in zip(read.items(), theirs, strict=True):
        assert repr(value) == repr(other), scalar  # nan is not nan, and 1 is 1.0
    assert len(read) > 2000
    assert refused > 100


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "params.yaml").mkdir()
    with pytest.raises(IsADirectoryError):  # which the wrapper of stages prints as one line
        read_config(tmp_path / "params.yaml")
