from __future__ import annotations

import dataclasses
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from graphs import BLOCKS, trained_network

from spoken_digits.config import read_config
from spoken_digits.data.clips import ClipSource
from spoken_digits.data.dataset import Subset
from spoken_digits.data.loading import Dataset
from spoken_digits.errors import UserError
from spoken_digits.features.log_mel import LogMel, LogMelParams
from spoken_digits.features.registry import extractor_from
from spoken_digits.integer.float_graph import quantise
from spoken_digits.integer.qat import QatParams
from spoken_digits.io.files import sha256
from spoken_digits.models.card import ModelCard, write_model
from spoken_digits.models.model_file import read_model
from spoken_digits.models.params import read_model_params
from spoken_digits.quantization import integer, integer_ds_cnn
from spoken_digits.quantization.loading import load_any
from spoken_digits.training.planning import describe_network

N_FRAMES, N_BANDS = 22, 16
PARAMS = LogMelParams(
    window_length=200,
    n_fft=256,
    hop_length=100,
    n_mels=N_BANDS,
    fmin=64.0,
    fmax=4000.0,
    floor_db=25.0,
    step_db=0.5,
    n_frames=N_FRAMES,
)
EXTRACTOR = LogMel(PARAMS, 8000)
CARD = ModelCard(
    name="small",
    architecture={
        "name": "ds_cnn",
        "stem_channels": 5,
        "blocks": [dict(block) for block in BLOCKS],
        "depthwise_relu": True,
        "dropout": 0.0,
    },
    labels=["ja", "nein", "halt", "vor", "rück"],
    features=EXTRACTOR.describe(),
    input_shape=(N_FRAMES, N_BANDS),
    mean=[-12.0] * N_BANDS,
    std=[9.0],
    best_epoch=1,
    corpus={"corpus": "folder", "version": "", "fingerprint": "0" * 64, "synthetic": False},
)
NOT_TRAINED = QatParams(
    epochs=0, learning_rate=1e-3, batch_size=8, bucket_batches=1, distillation=0.5
)


@pytest.fixture(scope="module")
def tensors():
    return trained_network(N_FRAMES, N_BANDS).state_dict()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Chirps of five directions, in an archive, with their float features."""
    rng = np.random.default_rng(0)
    archive = tmp_path_factory.mktemp("raw") / "audio.zip"
    clips, waveforms = [], []
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for i in range(60):
            time_s = np.arange(int(rng.integers(1600, 2600))) / 8000
            hz = 300 + 500 * (i % 5) + 800 * (i % 3 - 1) * time_s
            wave = 0.2 * np.sin(2 * np.pi * np.cumsum(hz) / 8000)
            waveform = (wave + 0.01 * rng.standard_normal(len(wave))).astype(np.float32)
            buffer = io.BytesIO()
            soundfile.write(buffer, waveform, 8000, "PCM_16", format="WAV")
            content = buffer.getvalue()
            file.writestr(f"{i:02d}.wav", content)
            waveforms.append(waveform)
            clips.append(
                ClipSource(
                    archive=archive,
                    path=f"{i:02d}.wav",
                    sha256=sha256(content),
                    sample_rate=8000,
                    n_samples=len(wave),
                )
            )
    x, n_frames = EXTRACTOR(waveforms)
    return Dataset(
        whole=Subset(x=x, n_frames=n_frames, y=np.arange(60) % 5, rows=np.arange(60)),
        rows={"train": np.arange(40), "val": np.arange(0), "test": np.arange(40, 60)},
        utterances=[f"{i:02d}" for i in range(60)],
        speakers=["a"] * 60,
        clips=clips,
        labels=CARD.labels,
        description=EXTRACTOR.describe(),
        features_fingerprint="",
        corpus=CARD.corpus,
    )


@pytest.fixture(scope="module")
def quantized(tensors, dataset):
    return integer.quantized(
        dataclasses.replace(CARD, scheme="int8"), tensors, dataset, NOT_TRAINED, 42
    )


def test_it_hears_through_the_fixed_point_front_end_and_agrees(quantized, tensors, dataset):
    network = CARD.make_network()
    network.load_state_dict(tensors)
    network.eval()
    x = torch.from_numpy(np.asarray(dataset.whole.x[40:]))
    with torch.no_grad():
        real = network(CARD.normalise(x), torch.full((20,), N_FRAMES)).numpy()
    assert quantized.card.features["kind"] == "log_mel_int"
    assert np.abs(quantized.logits - real).mean() < 0.1 * real.std()


def test_the_stored_network_is_the_network(quantized, dataset, tmp_path):
    write_model(tmp_path / "m.safetensors", quantized.card, quantized.tensors)
    card, stored = read_model(tmp_path / "m.safetensors")
    heard = integer_ds_cnn.heard(dataset, np.arange(40, 60), extractor_from(card.features))
    x, n_frames = torch.from_numpy(heard), torch.full((20,), N_FRAMES)
    got = load_any(card, stored)(card.normalise(x), n_frames).numpy()
    np.testing.assert_array_equal(got, quantized.logits)


def test_calibration_hears_train_clips_only(tensors, dataset, quantized):
    """Other test clips change no bit of the network."""
    other = dataclasses.replace(dataset, rows={**dataset.rows, "test": np.arange(40, 45)})
    again = integer.quantized(
        dataclasses.replace(CARD, scheme="int8"), tensors, other, NOT_TRAINED, 42
    )
    assert all(torch.equal(again.tensors[name], quantized.tensors[name]) for name in again.tensors)
    fewer = dataclasses.replace(dataset, rows={**dataset.rows, "train": np.arange(5)})
    of_fewer = integer.quantized(
        dataclasses.replace(CARD, scheme="int8"), tensors, fewer, NOT_TRAINED, 42
    )
    assert any(
        not torch.equal(of_fewer.tensors[name], quantized.tensors[name])
        for name in quantized.tensors
    )


def trained_on(tensors, dataset: Dataset, scheme: str, epochs: int):
    params = dataclasses.replace(NOT_TRAINED, epochs=epochs, learning_rate=5e-3)
    return integer.quantized(dataclasses.replace(CARD, scheme=scheme), tensors, dataset, params, 42)


def weights_of(quantized) -> dict[str, bytes]:
    return {name: tensor.numpy().tobytes() for name, tensor in quantized.tensors.items()}


def with_rows(dataset: Dataset, **rows: np.ndarray) -> Dataset:
    return dataclasses.replace(dataset, rows={**dataset.rows, **rows})


def with_labels(dataset: Dataset, y: np.ndarray) -> Dataset:
    return dataclasses.replace(dataset, whole=dataclasses.replace(dataset.whole, y=y))


def test_it_is_trained_on_train_clips_and_the_best_by_validation_is_kept(tensors, dataset):
    """Without validation clips the last epoch is kept; neither looks at the test clips."""
    before, after = (trained_on(tensors, dataset, "pow2", epochs) for epochs in (0, 2))
    assert weights_of(before) != weights_of(after)
    y = dataset.whole.y
    other_test = with_labels(dataset, np.where(np.arange(60) < 40, y, (y + 1) % 5))
    assert weights_of(trained_on(tensors, other_test, "pow2", 2)) == weights_of(after)
    other_train = with_labels(dataset, np.where(np.arange(60) < 40, (y + 1) % 5, y))
    assert weights_of(trained_on(tensors, other_train, "pow2", 2)) != weights_of(after)
    # Clips whose labels are what post-training quantization says: it cannot be bettered.
    said = y.copy()
    said[40:] = before.logits.argmax(axis=1)
    agreed = with_rows(with_labels(dataset, said), val=np.arange(40, 60))
    chosen = trained_on(tensors, agreed, "pow2", 2)
    heard = (chosen.logits.argmax(axis=1) == said[40:]).all()
    assert heard


@pytest.mark.parametrize("epochs", [0, 1])
def test_weights_of_powers_of_two(epochs, tensors, dataset, quantized, tmp_path):
    made = trained_on(tensors, dataset, "pow2", epochs)
    for name, tensor in made.tensors.items():
        if name.endswith("weight"):
            magnitude = np.abs(tensor.numpy().astype(int))
            assert ((magnitude & (magnitude - 1)) == 0).all()
            assert magnitude.max() <= 64
    assert made.n_bytes < 0.7 * quantized.n_bytes
    write_model(tmp_path / "m.safetensors", made.card, made.tensors)
    card, stored = read_model(tmp_path / "m.safetensors")
    heard = integer_ds_cnn.heard(dataset, np.arange(40, 60), extractor_from(card.features))
    got = load_any(card, stored)(torch.from_numpy(heard), torch.full((20,), N_FRAMES)).numpy()
    np.testing.assert_array_equal(got, made.logits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": {"kind": "mfcc"}}, "an integer ds_cnn needs `features: log_mel`"),
        (
            {"features": {**EXTRACTOR.describe(), "step_db": None}},
            "step_db",
        ),
        (
            {"architecture": {**CARD.architecture, "depthwise_relu": False}},
            "`depthwise_relu: false`",
        ),
        ({"std": [9.0] * N_BANDS}, "`train.normalisation: per_talker`"),
        ({"architecture": {"name": "cnn"}}, "only lstm and ds_cnn become integer networks"),
    ],
)
def test_models_that_cannot_become_integer_are_refused(change, message, tensors, dataset):
    card = dataclasses.replace(CARD, **{"scheme": "int8", **change})
    with pytest.raises(UserError, match=message):
        integer.quantized(card, tensors, dataset, NOT_TRAINED, 42)


def without(name):
    return lambda card, tensors: (card, {k: v for k, v in tensors.items() if k != name})


def with_tensor(name, change):
    return lambda card, tensors: (card, {**tensors, name: change(tensors[name])})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without("node_001.weight"), "the graph lacks weight"),
        (with_tensor("node_001.weight", lambda w: w[:, :3]), "weight and window do not fit"),
        (with_tensor("node_001.weight", lambda w: w.float()), "must be whole numbers"),
        (with_tensor("node_001.shift", lambda s: s[None]), "shift do not fit each other"),
        (lambda card, tensors: (card, {**tensors, "more": tensors["graph.shape"]}), "is unknown"),
        (
            lambda card, tensors: (dataclasses.replace(card, labels=CARD.labels[:4]), tensors),
            "5 classes, its card 4 labels",
        ),
        (with_tensor("node_001.bias", lambda b: b.to(torch.int64)), "is int64, must be int32"),
        (with_tensor("node_001.bias", lambda b: b + 2**31 - 2), "an accumulator could leave int32"),
        (with_tensor("graph.logit_step", lambda s: s * float("nan")), "logit_step is nan"),
        (with_tensor("graph.logit_step", lambda s: -s), "must be positive"),
        (with_tensor("graph.shape", lambda s: s + 2), "graph|means for"),
        (with_tensor("node_003.inputs", lambda i: i + 4), "reads a node that does not run before"),
        (
            lambda card, tensors: (dataclasses.replace(card, features=CARD.features), tensors),
            "its card must name log_mel_int",
        ),
        (
            lambda card, tensors: (dataclasses.replace(card, scheme="pow3"), tensors),
            "unknown scheme pow3",
        ),
    ],
)
def test_damaged_files_are_refused(damage, message, quantized):
    card, tensors = damage(quantized.card, quantized.tensors)
    with pytest.raises(UserError, match=message):
        load_any(card, tensors)


def test_the_default_networks_fit_their_budgets():
    """36,000 and 8,000 bytes, whatever the weights."""
    config = read_config(Path(__file__).parents[2] / "params.yaml")
    for name, most in (("tiny", 36_000), ("micro", 8_000)):
        params = read_model_params(config, name)
        extractor = LogMel.from_config(config)
        card = dataclasses.replace(
            CARD,
            architecture=describe_network(params, extractor.shape[1], 10),
            input_shape=extractor.shape,
            labels=[str(i) for i in range(10)],
            mean=[0.0] * extractor.shape[1],
            features=extractor.describe(),
        )
        torch.manual_seed(0)
        network = card.make_network()
        parent = integer_ds_cnn.float_graph(card, network.state_dict())
        rng = np.random.default_rng(0)
        clips = rng.integers(-50, 60, (4, *extractor.shape)).astype(np.int8)
        made = quantise(parent, clips)
        assert made.parameter_bytes() <= most
        assert made.multiply_accumulates() == network.multiply_accumulates()
