from __future__ import annotations

import subprocess
import sys
import types

import pytest

from spoken_digits.errors import UserError
from spoken_digits.features import registry
from spoken_digits.features.mfcc import Mfcc


@pytest.mark.parametrize("kind", ["log_mel", "mfcc", "mfcc_int", "spectrogram"])
def test_params_and_description_make_the_same_extractor(default_params, kind):
    extractor = registry.make_extractor(kind, default_params)
    assert extractor.kind == kind
    again = registry.extractor_from(extractor.describe())
    assert type(again) is type(extractor)
    assert again.describe() == extractor.describe()
    assert again.shape == extractor.shape
    assert extractor.length_key.startswith(f"features.{kind}.")
    assert extractor.length_for(extractor.heard_samples) == default_params.value(
        extractor.length_key, int
    )


def test_a_kind_needs_only_its_module_and_its_section(default_params, monkeypatch):
    class Other(Mfcc):
        kind = "other"

        @classmethod
        def from_config(cls, config):
            assert config.subsection("features.other") == {"key": 1}
            return Mfcc.from_config(config)

    module = types.ModuleType("spoken_digits.features.other")
    module.EXTRACTOR = Other
    module.__spec__ = registry.find_spec("spoken_digits.features.mfcc")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    default_params["features"]["other"] = {"key": 1}
    assert registry.make_extractor("other", default_params).shape == (36, 13)
    registry.read_feature_params(default_params)


@pytest.mark.parametrize("kind", ["mel", "registry", "parallel", "../mfcc", "os.path", "", 7, None])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(UserError, match="there are no features of kind"):
        registry.extractor_from({"kind": kind})


def test_the_specification_of_an_integer_front_end(default_params):
    for kind in ("mfcc_int", "log_mel_int"):
        extractor = registry.make_extractor(kind, default_params)
        assert registry.integer_spec(extractor.describe()) == extractor.spec
    described = registry.make_extractor("log_mel", default_params).describe()
    with pytest.raises(UserError, match="card: no integer front-end computes features of log_mel"):
        registry.integer_spec(described, "card")


def test_a_misspelt_kind_or_key_is_named(default_params):
    with pytest.raises(UserError, match=r"`features.mfc` is missing; did you mean `mfcc`\?"):
        registry.make_extractor("mfc", default_params)
    default_params["features"]["sample_rat"] = 1
    with pytest.raises(UserError, match=r"unknown key `features.sample_rat`"):
        registry.read_feature_params(default_params)


def test_one_kind_imports_no_other(repository):
    program = (
        "import sys; from pathlib import Path; from spoken_digits.config import read_config\n"
        "from spoken_digits.features.registry import make_extractor\n"
        "make_extractor('mfcc', read_config(Path('params.yaml')))\n"
        "print(*[name for name in sys.modules if name.startswith('spoken_digits')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=True
    )
    loaded = result.stdout.split()
    assert "spoken_digits.features.mfcc" in loaded
    assert not [name for name in loaded if "integer" in name or "mfcc_int" in name]
    assert "spoken_digits.features.spectrogram" not in loaded
