from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from recipes import RECIPE

from spoken_digits.augmentation.features.clips import FeatureClips
from spoken_digits.data.batches import shuffled_batches
from spoken_digits.data.dataset import Subset, fit_normalisation
from spoken_digits.errors import UserError
from spoken_digits.evaluation.inference import predict
from spoken_digits.models.architectures.lstm import Network as Lstm
from spoken_digits.models.device import pick_device, set_up, use_bfloat16
from spoken_digits.training import loop
from spoken_digits.training.checkpoint import Checkpoint
from spoken_digits.training.distributed import World
from spoken_digits.training.recipe import Recipe


@pytest.fixture
def clips() -> Subset:
    """Three words that differ in which coefficient is large."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(0, 1, (120, 12, 5)).astype(np.float32)
    x[np.arange(120), :, y] += 2.0
    return Subset(x=x, n_frames=rng.integers(4, 13, 120).astype(np.int32), y=y, rows=np.arange(120))


def part(clips: Subset, start: int, stop: int) -> Subset:
    return dataclasses.replace(clips, rows=np.arange(start, stop))


def make_network() -> Lstm:
    torch.manual_seed(3)
    return Lstm(
        input_shape=(12, 5), n_classes=3, hidden_dim=8, num_layers=2, dropout=0.2, pooling="mean"
    )


def fit(clips: Subset, recipe: Recipe = RECIPE, seed: int = 7, **options):
    set_up("cpu", 1)
    network = make_network()
    state = loop.fit(
        network,
        lambda x: x,
        FeatureClips(part(clips, 0, 80), lambda x: x, recipe),
        part(clips, 80, 120),
        recipe,
        seed=seed,
        device=torch.device("cpu"),
        **options,
    )
    return network, state


def weights(network: torch.nn.Module) -> list[bytes]:
    return [p.detach().numpy().tobytes() for p in network.parameters()]


def test_it_learns(clips):
    network, state = fit(clips, dataclasses.replace(RECIPE, epochs=12))
    _, accuracy = loop.evaluate(network, lambda x: x, part(clips, 80, 120), torch.device("cpu"))
    assert accuracy > 0.9
    assert state.curve[-1][1] < state.curve[0][1]


def test_the_seed_decides_every_byte(clips):
    first, again, other = fit(clips)[0], fit(clips)[0], fit(clips, seed=8)[0]
    assert weights(first) == weights(again)
    assert weights(first) != weights(other)


def test_the_fastest_precision_of_the_processor_learns_as_well(clips):
    recipe = dataclasses.replace(RECIPE, precision="auto", epochs=12)
    (network, state), (again, _) = fit(clips, recipe), fit(clips, recipe)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert weights(network) == weights(again)
    assert state.curve[state.best_epoch - 1][4] > 0.9


def test_numbers_too_small_to_be_fast_are_zeros():
    torch.set_flush_denormal(False)
    assert (torch.full((4,), 1e-30) * 1e-10).count_nonzero() == 4
    set_up("cpu", 1)
    assert (torch.full((4,), 1e-30) * 1e-10).count_nonzero() == 0


def test_bfloat16_is_taken_when_asked_for():
    assert use_bfloat16("bfloat16", torch.device("cpu"))
    assert not use_bfloat16("float32", torch.device("cuda"))


def test_the_best_validation_epoch_is_kept(clips):
    network, state = fit(clips, dataclasses.replace(RECIPE, schedule="constant", epochs=8))
    best = max(state.curve, key=lambda row: (row[4], -row[3]))
    assert best[0] == state.best_epoch
    loss, accuracy = loop.evaluate(network, lambda x: x, part(clips, 80, 120), torch.device("cpu"))
    assert (accuracy, loss) == (best[4], pytest.approx(best[3], rel=1e-6))


def test_the_last_epoch_is_kept_when_the_schedule_says_so(clips):
    recipe = dataclasses.replace(RECIPE, schedule="constant", epochs=8, learning_rate=1.0)
    best, of_best = fit(clips, recipe)
    network, state = fit(clips, dataclasses.replace(recipe, keep="last"))
    assert state.curve == of_best.curve
    assert of_best.best_epoch < state.best_epoch == 8
    assert weights(network) != weights(best)
    loss, accuracy = loop.evaluate(network, lambda x: x, part(clips, 80, 120), torch.device("cpu"))
    assert (accuracy, loss) == (state.curve[-1][4], pytest.approx(state.curve[-1][3], rel=1e-6))


def test_patience_and_the_last_epoch_do_not_go_together():
    with pytest.raises(ValueError, match="`keep` is last, but `patience` is 3"):
        dataclasses.replace(RECIPE, keep="last", patience=3)


def test_a_killed_run_resumes_to_the_same_bytes(clips, tmp_path):
    uninterrupted, whole = fit(clips)

    class Killed(BaseException):
        pass

    def kill(epoch: int, _row: object) -> None:
        if epoch == 4:
            raise Killed

    checkpoint = Checkpoint(path=tmp_path / "resume.pt", every_s=0.0)
    with pytest.raises(Killed):
        fit(clips, checkpoint=checkpoint, on_epoch=kill)
    assert checkpoint.path.exists()
    epochs: list[int] = []
    resumed, state = fit(
        clips,
        checkpoint=checkpoint,
        on_epoch=lambda epoch, _: epochs.append(epoch),
    )
    assert epochs == [4, 5, 6]
    assert weights(resumed) == weights(uninterrupted)
    assert state.curve == whole.curve


def test_it_stops_early(clips):
    # So small a rate cannot improve on the first epoch for long.
    recipe = dataclasses.replace(
        RECIPE, learning_rate=1e-12, schedule="constant", epochs=50, patience=3
    )
    _, state = fit(clips, recipe)
    assert len(state.curve) == state.best_epoch + 3 < 50


def test_a_loss_that_is_not_a_number_is_refused(clips):
    clips.x[:, 0, 0] = np.nan
    with pytest.raises(UserError, match=r"broke down in epoch 1.*train.learning_rate"):
        fit(clips)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"train.device` is cuda, which this machine lacks"):
        pick_device("cuda")
    assert pick_device("cpu").type == "cpu"


def test_normalisation_is_fitted_on_valid_frames_of_train_clips_only(clips):
    clips.x[80:] += 100.0  # not train
    for i, n in enumerate(clips.n_frames):
        clips.x[i, n:] = -500.0  # padding
    train = part(clips, 0, 80)
    mean, std = fit_normalisation(train, "per_coefficient")
    valid = np.concatenate([clips.x[i, : clips.n_frames[i]].astype(np.float64) for i in range(80)])
    np.testing.assert_allclose(mean, valid.mean(0), rtol=1e-5)
    np.testing.assert_allclose(std, valid.std(0), rtol=1e-5)
    scalar_mean, scalar_std = fit_normalisation(train, "scalar")
    np.testing.assert_allclose([scalar_mean[0], scalar_std[0]], [valid.mean(), valid.std()])
    assert fit_normalisation(train, "none")[0] == 0


def test_a_coefficient_that_never_varies_does_not_blow_up(clips):
    clips.x[:, :, 4] = 3.0
    _, std = fit_normalisation(clips, "per_coefficient")
    assert std[4] > 0


@pytest.mark.parametrize("bucket_batches", [1, 3])
def test_every_clip_is_seen_once_an_epoch(clips, bucket_batches):
    subset = part(clips, 10, 75)
    lengths = subset.n_frames[subset.rows]
    batches = shuffled_batches(lengths, 16, bucket_batches, np.random.default_rng(1))
    assert len(batches) == subset.n_batches(16) == 5
    assert sorted(np.concatenate(batches)) == list(range(65))


def test_buckets_hold_clips_of_like_length():
    lengths = np.random.default_rng(0).integers(4, 13, 120)  # not those of the recordings

    def padding(bucket_batches: int) -> int:
        batches = shuffled_batches(lengths, 16, bucket_batches, np.random.default_rng(1))
        return sum(np.ptp(lengths[positions]) for positions in batches)

    assert padding(4) < padding(1) / 2


def test_predictions_come_in_the_order_of_the_clips(clips):
    network, _ = fit(clips)
    device = torch.device("cpu")
    together = predict(network, lambda x: x, clips, device)
    for i in (0, 1, 57, 119):
        alone = predict(network, lambda x: x, part(clips, i, i + 1), device)
        torch.testing.assert_close(together[i : i + 1], alone)


def test_frames_past_the_longest_clip_of_a_batch_change_nothing(clips):
    network = make_network().eval()
    x, n_frames = torch.from_numpy(clips.x[:8]), torch.full((8,), 7)
    longer = torch.cat([x[:, :7], torch.full((8, 5, 5), 9.0)], dim=1)
    torch.testing.assert_close(network(longer, n_frames), network(x[:, :7], n_frames))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("n_batch", [1, 2, 5, 16])
def test_the_shares_of_all_processes_make_up_the_batch(size, n_batch):
    positions = np.arange(n_batch)
    worlds = [World(rank=rank, size=size) for rank in range(size)]
    shares = [world.share(positions) for world in worlds]
    counts = np.zeros(n_batch)
    for own, counted in shares:
        assert own.size
        counts[own] += counted
    np.testing.assert_allclose(counts, 1)  # every clip once, all processes together
    # The mean over processes of these weighted losses is the mean over the batch.
    means = [own.mean() * counted * len(own) * size / n_batch for own, counted in shares]
    assert np.mean(means) == pytest.approx(positions.mean())


def test_weights_with_many_inputs_learn_slower_in_proportion():
    recipe = dataclasses.replace(RECIPE, learning_rate=0.02, learning_rate_fan_in=4)
    network = make_network()
    optimizer = loop._make_optimizer(network, recipe)
    rates = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert optimizer.param_groups[0]["lr"] == 0.02
    assert rates[id(network.lstm.weight_ih_l0)] == pytest.approx(0.02 * 4 / 5)  # 5 inputs
    assert rates[id(network.lstm.weight_hh_l0)] == pytest.approx(0.02 * 4 / 8)  # 8 inputs
    assert rates[id(network.linear.bias)] == 0.02


def test_batches_are_made_by_the_length_after_stretching(clips, monkeypatch):
    expected, seen = [], []

    def spying(lengths, *arguments):
        batches = shuffled_batches(lengths, *arguments)
        expected.extend(lengths[positions].tolist() for positions in batches)
        return batches

    monkeypatch.setattr(loop, "shuffled_batches", spying)
    network = make_network()
    network.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[1].tolist()) if module.training else None
    )
    recipe = dataclasses.replace(RECIPE, epochs=1, time_stretch=0.3, bucket_batches=4)
    device = set_up("cpu", 1)
    varied = FeatureClips(clips, lambda x: x, recipe)
    loop.fit(network, lambda x: x, varied, clips, recipe, seed=7, device=device)
    assert seen == expected
    assert sorted(n for batch in seen for n in batch) != sorted(clips.n_frames.tolist())


def test_clips_are_told_the_number_of_the_epoch_after_a_kill_too(clips, monkeypatch, tmp_path):
    numbers = []
    draw = FeatureClips.begin_epoch

    def noting(self, epoch, common, own):
        numbers.append(epoch)
        return draw(self, epoch, common, own)

    def kill(epoch, row):
        if epoch == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(FeatureClips, "begin_epoch", noting)
    checkpoint = Checkpoint(path=tmp_path / "state.pt", every_s=0.0)
    with pytest.raises(KeyboardInterrupt):
        fit(clips, checkpoint=checkpoint, on_epoch=kill)
    assert numbers == [1, 2, 3, 4]
    fit(clips, checkpoint=checkpoint)
    assert numbers[4:] == [4, 5, 6]
