"""Open models from params.yaml to an integer network, on a small corpus of tones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from recipes import RECIPE
from recordings import PATTERN, write_recordings
from sound import STILL

from spoken_digits.augmentation import augmentation
from spoken_digits.augmentation.open_sound.clips import NOBODY, OpenSoundClips
from spoken_digits.config import Config
from spoken_digits.corpora import CorpusParams, folder
from spoken_digits.corpora.storing import write_corpus
from spoken_digits.data.clips import clip_sources
from spoken_digits.data.dataset import Subset
from spoken_digits.data.loading import Dataset
from spoken_digits.data.manifest import read_manifest
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.integer.qat import QatParams
from spoken_digits.quantization import integer
from spoken_digits.rejection.dataset import extract, read_rejects, with_rejects
from spoken_digits.rejection.labels import OPEN, SILENCE, UNKNOWN, word_mask
from spoken_digits.rejection.planning import open_plans
from spoken_digits.rejection.prior import log_priors, make_even
from spoken_digits.rejection.storing import Source, write_rejects
from spoken_digits.rejection.training import train_open
from spoken_digits.training import experiment
from spoken_digits.training.distributed import World
from spoken_digits.training.experiment import TrainedModel
from spoken_digits.training.plan import Plan

EXTRACTOR = LogMel(
    LogMelParams(
        window_length=200,
        n_fft=256,
        hop_length=100,
        n_mels=16,
        fmin=64.0,
        fmax=4000.0,
        floor_db=25.0,
        step_db=0.5,
        n_frames=22,
    ),
    8000,
)
NETWORK = {
    "name": "ds_cnn",
    "stem_channels": 4,
    "blocks": [{"channels": 8, "stride": [2, 2]}],
    "depthwise_relu": True,
    "dropout": 0.0,
}
PLAN = Plan(
    model="small",
    architecture=NETWORK,
    features="log_mel",
    augmentation="sound",
    corpus="folder",
    n_classes=3,
    seed=1,
    recipe=dataclasses.replace(
        RECIPE,
        epochs=8,
        keep="last",
        normalisation="per_talker",
        sound=dataclasses.replace(STILL, remove_talker=True, noise_snr_db=(30.0, 60.0)),
    ),
    voices=None,
)


@dataclasses.dataclass(frozen=True)
class Small:
    source: Source
    words: Dataset
    folder: Path


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Small:
    """Tones of three words by four speakers, one of whom validates and one of whom is tested on."""
    top = tmp_path_factory.mktemp("open")
    recordings = write_recordings(top / "recordings", takes=3)
    (recordings / folder.NOISE).mkdir()
    write_recordings(top / "other", words=("hiss",), speakers=("anna",), takes=1)
    (top / "other/hiss/anna_0.wav").rename(recordings / folder.NOISE / "fan.wav")
    raw = top / "raw"
    raw.mkdir()
    write_corpus(folder.open_folder(recordings, None, PATTERN), raw)
    table = read_manifest(raw / "manifest.csv")
    clips = clip_sources(raw / "audio.zip", table)
    x, n_frames = extract(clips, EXTRACTOR)
    labels = sorted(set(table["label"]))
    subset = table["speaker"].map({"anna": "train", "ben": "train", "cleo": "val", "dan": "test"})
    words = Dataset(
        whole=Subset(
            x=x,
            n_frames=n_frames,
            y=np.array([labels.index(label) for label in table["label"]]),
            rows=np.arange(len(table)),
        ),
        rows={name: np.flatnonzero(subset == name) for name in ("train", "val", "test")},
        utterances=table["utterance"].tolist(),
        speakers=table["speaker"].tolist(),
        clips=clips,
        labels=labels,
        description=EXTRACTOR.describe(),
        features_fingerprint="0",
        corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
    )
    return Small(source_of(raw, recordings, top / "nothing"), words, top)


def source_of(raw: Path, recordings: Path, real: Path) -> Source:
    values = {
        "name": "folder",
        "path": str(recordings),
        "rejection": {
            "silence": 14,
            "reversed": 4,
            "scrambled": 4,
            "overlapped": 4,
            "babble": 2,
            "spoken": 0,
            "repeat_real": 3,
            "models": {},
            "repeat": {"models": [], "seeds": [1]},
        },
        "limit": None,
        "label_pattern": None,
        "known_faults": "keep",
        "extra_voices": False,
        "speech_commands": {"words": "digits"},
        "synthetic": {"profile": "quick", "seed": 0},
        "spoken": {"words": ["yes", "no"], "blends": 0, "seed": 0},
    }
    params = Config({"corpus": values}).section("corpus", CorpusParams)
    return Source(raw=raw, real=real, params=params, sample_rate=8000, seed=1)


@pytest.fixture(scope="module")
def store(small) -> Path:
    path = small.folder / "rejects/train"
    write_rejects(path, "train", small.words.rows["train"].tolist(), small.source)
    return path


@pytest.fixture(scope="module")
def open_dataset(small, store) -> Dataset:
    return with_rejects(small.words, store, EXTRACTOR)


@pytest.fixture(scope="module")
def trained(open_dataset) -> TrainedModel:
    plan = dataclasses.replace(PLAN, n_classes=5, augmentation=OPEN)
    return train_open(open_dataset, plan)


def test_what_is_none_of_the_words_joins_the_train_clips_and_no_others(small, open_dataset):
    words, n_own = small.words, len(small.words.utterances)
    assert open_dataset.labels == [*words.labels, SILENCE, UNKNOWN]
    for subset in ("val", "test"):
        np.testing.assert_array_equal(open_dataset.rows[subset], words.rows[subset])
    added = np.setdiff1d(open_dataset.rows["train"], words.rows["train"])
    assert (added >= n_own).all()
    assert not word_mask(open_dataset.labels)[open_dataset.whole.y[added]].any()
    np.testing.assert_array_equal(open_dataset.whole.x[:n_own], words.whole.x)
    assert open_dataset.fingerprint != words.fingerprint


def test_non_words_are_made_of_train_clips_alone(open_dataset):
    non_words = [
        speaker
        for speaker, y in zip(open_dataset.speakers, open_dataset.whole.y, strict=True)
        if open_dataset.labels[y] == UNKNOWN
    ]
    assert len(non_words) == 14
    assert set(non_words) <= {"anna", "ben"}


def test_recordings_of_noise_are_learned_from_and_are_no_word(small, store):
    assert folder.NOISE not in small.words.labels
    table = read_rejects(store, "train").table
    assert any(name.startswith("recorded-") for name in table["utterance"])
    with pytest.raises(UserError, match=r"holds clips for 'train', must be 'val'"):
        read_rejects(store, "val")


def test_real_words_are_heard_as_often_as_asked_and_by_speakers_of_one_subset(small, tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    own = write_recordings(tmp_path / "spoken", words=("tree", "house"), takes=1)
    write_corpus(folder.open_folder(own, None, PATTERN), real)
    source = dataclasses.replace(small.source, real=real)
    speakers = {}
    for subset in ("train", "val", "test"):
        rows = small.words.rows[subset].tolist()
        table = write_rejects(tmp_path / subset, subset, rows, source)
        is_real = table["utterance"].str.startswith("real-")
        speakers[subset] = set(table.loc[is_real, "speaker"])
        assert set(table.loc[is_real, "repeat"]) <= {3}
        assert set(table.loc[~is_real, "repeat"]) == {1}
    assert speakers == {"train": {"ben", "cleo", "dan"}, "val": {"anna"}, "test": set()}
    grown = with_rejects(small.words, tmp_path / "train", EXTRACTOR)
    rows, counts = np.unique(grown.rows["train"], return_counts=True)
    assert {grown.utterances[row][:5] for row in rows[counts == 3]} == {"real-"}


def test_talkers_are_measured_on_words_alone(small, open_dataset):
    closed = augmentation("sound").prepare(small.words, PLAN.recipe, 1)
    found = augmentation(OPEN).prepare(open_dataset, PLAN.recipe, 1)
    # Which clips of a talker are measured is drawn; all words of a talker sound alike here.
    np.testing.assert_allclose(found.normalisation.mean, closed.normalisation.mean, atol=0.5)
    assert isinstance(found.clips, OpenSoundClips)
    loud = dataclasses.replace(small.source, seed=2)
    other = small.folder / "other_rejects"
    write_rejects(other, "train", small.words.rows["train"].tolist(), loud)
    again = augmentation(OPEN).prepare(with_rejects(small.words, other, EXTRACTOR), PLAN.recipe, 1)
    np.testing.assert_array_equal(again.normalisation.mean, found.normalisation.mean)


def test_where_nobody_speaks_the_talker_is_drawn_anew_every_epoch(open_dataset):
    clips = augmentation(OPEN).prepare(open_dataset, PLAN.recipe, 1).clips
    assert isinstance(clips, OpenSoundClips)
    drawn = []
    for epoch in (1, 2):
        rngs = np.random.default_rng(epoch).spawn(2)
        clips.begin_epoch(epoch, *rngs)
        drawn.append(clips._talkers)
    nobody = clips._spoken_by == NOBODY
    assert (drawn[0][nobody] != drawn[1][nobody]).any()
    np.testing.assert_array_equal(drawn[0][~nobody], drawn[1][~nobody])
    assert min(drawn[0].min(), drawn[1].min()) >= 0


def test_noise_of_the_recipe_reaches_what_is_no_word_too(open_dataset):
    heard = []
    for noise in (0.0, 1.0):
        recipe = dataclasses.replace(PLAN.recipe, noise=noise)
        clips = augmentation(OPEN).prepare(open_dataset, recipe, 1).clips
        clips.begin_epoch(1, *np.random.default_rng(1).spawn(2))
        heard.append(clips.features(np.arange(len(clips))))
    assert (heard[0] != heard[1]).any(axis=(1, 2)).all()


def test_processes_that_train_together_do_not_resume_what_one_began(
    open_dataset, tmp_path, monkeypatch
):
    plan = dataclasses.replace(PLAN, n_classes=5, augmentation=OPEN)
    begun = []

    def fit(*arguments, checkpoint, **options):
        begun.append(checkpoint.path.name)
        raise InterruptedError

    monkeypatch.setattr(experiment.loop, "fit", fit)
    for size in (1, 2, 1):
        world = World(rank=0, size=size)
        with pytest.raises(InterruptedError):
            experiment.train_model(open_dataset, plan, resume_folder=tmp_path, world=world)
    assert begun[0] == begun[2] != begun[1]


def test_a_model_learns_the_classes_and_becomes_integer(trained, open_dataset):
    assert trained.card.labels == open_dataset.labels
    assert trained.card.heard == ["anna", "ben"]  # and no machine
    assert trained.state.curve[-1][2] > 0.5  # of five classes
    tensors = {name: tensor.cpu() for name, tensor in trained.network.state_dict().items()}
    card = dataclasses.replace(trained.card, scheme="int8")
    params = QatParams(
        epochs=0, learning_rate=0.001, batch_size=8, bucket_batches=1, distillation=0.5
    )
    quantized = integer.quantized(card, tensors, open_dataset, params, 1)
    assert quantized.logits.shape == (9, 5)
    network = integer.network_of(quantized.card, quantized.tensors)
    assert isinstance(network, torch.nn.Module)


def test_priors_are_taken_out_of_the_logits_of_what_is_no_word():
    y = np.array([0] * 10 + [1] * 30 + [2] * 20 + [3] * 160)
    labels = ["ja", "nein", SILENCE, UNKNOWN]
    priors = log_priors(y, labels)
    np.testing.assert_allclose(priors, [0.0, 0.0, 0.0, np.log(8)])  # a word has 20 clips
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(3, 9), torch.nn.ReLU(), torch.nn.Linear(9, 4))
    x = torch.randn(5, 3)
    before = network(x).detach().numpy()
    make_even(network, priors)
    np.testing.assert_allclose(network(x).detach().numpy(), before - priors, atol=1e-5)
    with pytest.raises(ValueError, match="no bias for each class"):
        make_even(network, np.zeros(5))


def config_of(models: dict[str, dict], default_params: Config) -> Config:
    complete = {name: {"model": name, "scheme": "int8"} | model for name, model in models.items()}
    default_params["corpus"]["rejection"]["models"] = complete
    return default_params


def test_the_plan_of_an_open_model_is_that_of_its_variant_with_two_more_classes(default_params):
    config = config_of({"small_open": {"variant": "small"}}, default_params)
    (plan,) = open_plans(config, [PLAN], ["a", "b", "c"])
    same = dataclasses.replace(PLAN, model="small_open", n_classes=5, augmentation=OPEN)
    assert plan == same
    (of_own,) = open_plans(config, [PLAN], ["a", SILENCE, UNKNOWN])
    assert of_own.n_classes == 3


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({"small_open": {"variant": "smal"}}, r"small_open.variant` is 'smal'; there are small"),
        ({"small": {"variant": "small"}}, r"a model named 'small': use another name"),
        ({"Open": {"variant": "small"}}, r"a model named 'Open': use another name"),
        ({"small_open": {"variant": "small", "model": "other"}}, r"set it to small_open"),
        ({"small_open": {}}, r"`variant` is missing|lacks `variant`|variant"),
        ({"small_open": {"variant": "plain"}}, r"`augmentation` is features: it must be sound"),
    ],
)
def test_an_open_model_that_cannot_be_is_one_line(models, message, default_params):
    plain = dataclasses.replace(PLAN, model="plain", augmentation="features")
    with pytest.raises(UserError, match=message) as caught:
        open_plans(config_of(models, default_params), [PLAN, plain], ["a"])
    assert "\n" not in str(caught.value)
