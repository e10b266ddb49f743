from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from recordings import REPOSITORY

from spoken_digits.config import Config, build, read_config
from spoken_digits.corpora import CorpusParams
from spoken_digits.data.splits import SplitParams, read_params
from spoken_digits.errors import UserError
from spoken_digits.features.registry import make_extractor, read_feature_params
from spoken_digits.io import strict_yaml
from spoken_digits.models.budget import BudgetParams
from spoken_digits.models.params import names, read_model_params
from spoken_digits.training.planning import describe_network, read_recipe


@dataclass(frozen=True, kw_only=True)
class Example:
    rate: float
    count: int
    on: bool
    kind: Literal["a", "b"]
    limit: int | None
    sizes: tuple[int, ...]


VALUES = {"rate": 0.5, "count": 3, "on": True, "kind": "a", "limit": None, "sizes": [1, 2]}


def example_of(**changes):
    return build(Example, {**VALUES, **changes}, "example")


def test_values_get_their_declared_types():
    example = example_of()
    assert example == Example(rate=0.5, count=3, on=True, kind="a", limit=None, sizes=(1, 2))


def test_a_number_with_an_exponent_needs_no_point(tmp_path):
    # What `dvc exp run -S train.learning_rate=0.00001` writes: see below.
    (tmp_path / "params.yaml").write_text("rate: 1e-05\n")
    value = strict_yaml.read(tmp_path / "params.yaml")["rate"]
    assert example_of(rate=value).rate == pytest.approx(1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": "fast"}, r"`example.rate` is 'fast', must be a number"),
        ({"count": 2.5}, r"`example.count` is 2.5, must be a whole number"),
        ({"count": True}, r"`example.count` is true, must be a whole number"),
        ({"on": "yes"}, r"`example.on` is 'yes', must be true or false"),
        ({"kind": "c"}, r"`example.kind` is 'c', must be one of a, b"),
        ({"sizes": 3}, r"`example.sizes` is 3, must be a list, each a whole number"),
        ({"sizes": [1, "x"]}, r"`example.sizes\[1\]` is 'x'"),
        ({"raet": 1}, r"unknown key `example.raet`; did you mean `rate`\?"),
    ],
)
def test_wrong_values_are_refused_by_name(change, message):
    with pytest.raises(UserError, match=message):
        example_of(**change)


def test_a_missing_key_is_refused_by_name():
    values = dict(VALUES)
    del values["count"]
    with pytest.raises(UserError, match=r"`example.count` is missing"):
        build(Example, values, "example")


def test_a_missing_section_suggests_the_nearest():
    with pytest.raises(UserError, match=r"`slpit` is missing; did you mean `split`"):
        Config({"split": {}}).section("slpit", SplitParams)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("modell", r"unknown section `modell`; did you mean `model`\?"),
        ("Train", r"unknown section `Train`; did you mean `train`\?"),
        ("colour", r"unknown section `colour`; `params.yaml` has: seed, corpus, features, split"),
    ],
)
def test_a_section_that_nothing_reads_is_refused_by_name(name, message, tmp_path, repository):
    text = (repository / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(f"{text}\n{name}:\n  hidden_dim: 24\n")
    with pytest.raises(UserError, match=f"^params.yaml: {message}"):
        read_config(tmp_path / "params.yaml")


def test_a_missing_or_broken_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match="is missing"):
        read_config(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1\nb: }")
    with pytest.raises(UserError, match="not valid YAML") as caught:
        read_config(tmp_path / "params.yaml")
    assert "\n" not in str(caught.value)


def test_the_committed_file_fits_every_schema(default_params):
    default_params.section("corpus", CorpusParams)
    assert read_feature_params(default_params).sample_rate == 8000
    for kind in ("mfcc", "mfcc_int", "spectrogram"):
        make_extractor(kind, default_params)
    default_params.section("split", SplitParams)
    assert names(default_params)[:6] == [
        "lstm",
        "lstm_36kb",
        "lstm_36kb_1layer",
        "lstm_int8_36kb",
        "lstm_36kb_sound",
        "cnn",
    ]
    for name in names(default_params):
        model = read_model_params(default_params, name)
        for corpus in ("fsdd", "audiomnist"):
            assert read_recipe(default_params, name, model, corpus).epochs > 0


def test_a_models_own_recipe_overrides_the_common_one_and_the_corpus_overrides_both(default_params):
    default_params["train"]["epochs"] = 1
    default_params["model"]["train"] = {"epochs": 2}
    default_params["model"]["train_on"] = {"audiomnist": {"epochs": 3}}
    model = read_model_params(default_params, "lstm")
    assert read_recipe(default_params, "lstm", model, "fsdd").epochs == 2
    assert read_recipe(default_params, "lstm", model, "audiomnist").epochs == 3


def test_a_misspelt_key_of_a_models_recipe_is_refused_where_it_stands(default_params):
    default_params["variants"]["cnn"]["train"] = {"epoch": 2}
    model = read_model_params(default_params, "cnn")
    with pytest.raises(UserError, match=r"unknown key `variants.cnn.train.epoch`"):
        read_recipe(default_params, "cnn", model, "fsdd")


@pytest.mark.parametrize(
    ("place", "changes", "message"),
    [
        ("train", {"epochs": 0}, "`model.train.epochs` is 0, must be .* 1 to 10,000, such as 40"),
        ("train", {"epoch": 2}, "unknown key `model.train.epoch`; did you mean `epochs`"),
        ("train", None, "`model.train` is null, must be a section"),
        ("train_on", {"fsdd": {"patience": -1}}, "`model.train_on.fsdd.patience` is -1, must be"),
        ("train_on", {"audiomnist": {"noise": -1}}, "`model.train_on.audiomnist.noise` is -1"),
        ("train_on", {"fsd": {}}, "unknown key `model.train_on.fsd`; did you mean `fsdd`"),
        ("train_on", {"fsdd": 3}, "`model.train_on.fsdd` is 3, must be a section"),
    ],
)
def test_a_models_own_recipe_is_checked_where_it_stands(default_params, place, changes, message):
    default_params["model"][place] = changes
    with pytest.raises(UserError, match=message):
        read_recipe(default_params, "lstm", read_model_params(default_params, "lstm"), "fsdd")


def test_a_budget_may_not_give_a_model_that_could_not_be_read(default_params):
    section = default_params["variants"]["lstm_36kb"]
    section["budget"] = {**section["budget"], "kib": 262_144, "bytes_per_weight": 1}
    model = read_model_params(default_params, "lstm_36kb")
    with pytest.raises(UserError, match=r"from `budget`: `hidden_dim` is \d+, must be .*4,096"):
        describe_network(model, 13, 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audiomnits": {}}, "unknown key `split.split_on.audiomnits`; did you mean `audiomnist`"),
        ({"fsdd": {"test_fraction": 1}}, "`split.split_on.fsdd.test_fraction` is 1, must be"),
        ({"folder": {"fould": 1}}, "unknown key `split.split_on.folder.fould`; did you mean"),
        ({"fsdd": {"split_on": {}}}, "unknown key `split.split_on.fsdd.split_on`"),
    ],
)
def test_changes_of_the_split_are_checked_for_every_corpus(default_params, changes, message):
    default_params["split"]["split_on"] = changes
    with pytest.raises(UserError, match=message):
        read_params(default_params, "audiomnist")


def test_a_key_of_the_common_recipe_is_missed_though_a_model_has_its_own(default_params):
    del default_params["train"]["epochs"]
    with pytest.raises(UserError, match=r"`train.epochs` is missing"):
        read_recipe(default_params, "lstm", read_model_params(default_params, "lstm"), "fsdd")


@pytest.mark.parametrize("name", ["Cnn", "a.b", "../x", "", "x" * 41])
def test_a_variant_needs_a_valid_file_name(default_params, name):
    default_params["variants"] = {name: {}}
    with pytest.raises(UserError, match="`variants` has a model named"):
        names(default_params)


def test_a_literal_is_compared_by_type_too():
    budget = {"bytes_per_weight": 4, "bytes_per_bias": 4, "reading": "total", "kib": 36}
    assert build(BudgetParams, {**budget, "bias_vectors": 1}, "budget").n_bytes == 36 * 1024
    for value in (True, 1.0, "1", {}, []):
        with pytest.raises(UserError, match=r"`budget.bias_vectors` is .*, must be one of 1, 2"):
            build(BudgetParams, {**budget, "bias_vectors": value}, "budget")


def test_frames_that_overlap_too_much_are_refused(default_params):
    default_params["features"]["mfcc"]["hop_length"] = 6
    with pytest.raises(UserError, match=r"`features.mfcc.hop_length` is 6, must be .* 7 or more"):
        make_extractor("mfcc", default_params)
    default_params["features"]["mfcc"]["hop_length"] = 7
    default_params["features"]["spectrogram"] |= {"n_samples": 1_000_000, "hop_length": 512}
    with pytest.raises(UserError, match=r"`features.spectrogram.n_samples` gives 2,002,850 values"):
        make_extractor("spectrogram", default_params)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("model", "hidden_dim", 0, "`model.hidden_dim` is 0"),
        ("model", "dropout", 1.5, "`model.dropout` is 1.5"),
        (
            "variants",
            "lstm",
            {"architecture": "gru", "features": "mfcc"},
            "`variants.lstm.architecture` is 'gru'",
        ),
        ("model", "features", "mfcc", "`features` stands in `model` and in `variants.lstm`"),
        ("model", "hidden_dim", None, "`model.hidden_dim` is null"),
        ("train", "learning_rate", -1, "`train.learning_rate` is -1"),
        ("train", "batch_size", 0, "`train.batch_size` is 0"),
    ],
)
def test_values_out_of_range_are_refused(default_params, section, key, value, message):
    default_params["model"]["train"] = {}  # its own values would hide the common ones
    default_params[section][key] = value
    with pytest.raises(UserError, match=message):
        model = read_model_params(default_params, "lstm")
        read_recipe(default_params, "lstm", model, "fsdd")


def test_an_unknown_model_names_those_there_are(default_params):
    with pytest.raises(UserError, match="no model 'lsmt'.*lstm_36kb"):
        read_model_params(default_params, "lsmt")


def test_params_yaml_is_written_as_dvc_writes_it(tmp_path):
    """So an experiment changes the lines that it changes, and no others."""
    from dvc.utils.hydra import apply_overrides

    copy = tmp_path / "params.yaml"
    before = (REPOSITORY / "params.yaml").read_text()
    copy.write_text(before)
    apply_overrides(copy, ["seed=42"])
    assert copy.read_text() == before, (
        'write it anew: python -c "from dvc.utils.hydra import apply_overrides; '
        "apply_overrides('params.yaml', ['seed=42'])\""
    )
    apply_overrides(copy, ["model.hidden_dim=24", "corpus.limit=300"])
    after = copy.read_text()
    changed = [
        (a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b
    ]
    assert changed == [
        ("  limit:", "  limit: 300"),
        ("  hidden_dim: 128", "  hidden_dim: 24"),
    ]
    apply_overrides(copy, ["train.learning_rate=0.00001"])
    assert "learning_rate: 1e-05" in copy.read_text()
