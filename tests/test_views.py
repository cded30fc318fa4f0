"""Which channels discriminators see."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.build import build_networks, build_recipe
from codecctl.engine.networks import CHANNEL_VIEWS, Judgement
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.adversary import Jury
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

TINY = (
    "model=tiny",
    "data.segment_seconds=0.05",
    "data.min_source_seconds=0.05",
    "data.batch_size=2",
    "data.capsules.count=4",
    "model.generator.channels=4",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.discriminator.start={step=0}",
    "trainer.discriminator.update_probability=1.0",
)
PARTIAL = ("random_one", "fold_batch", "pairs")


def numbered(signals: int, channels: int) -> Tensor:
    """Signal n has 10 n + c in channel c, (N, C, 1)."""
    return (10.0 * torch.arange(signals)[:, None] + torch.arange(channels))[..., None]


def shown(name: str, audio: Tensor, order: Tensor | None = None) -> list[list[float]]:
    groups: list[list[float]] = CHANNEL_VIEWS[name].show(audio, order)[..., 0].tolist()
    return groups


def recipe(channels: str, *overrides: str) -> Recipe:
    seen = f"model.discriminators.0.channels={channels}"
    profile = load_profile("baseline-32ch", [*TINY, seen, *overrides]).profile
    return build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)


def batch(seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(2, 4, 1200, generator=torch.Generator().manual_seed(seed))


ORDER = torch.tensor([[2, 0, 3, 1], [1, 3, 0, 2]])


def test_in_an_order_that_was_drawn() -> None:
    audio = numbered(2, 4)
    assert shown("all", audio, ORDER) == [[0, 1, 2, 3], [10, 11, 12, 13]]
    assert shown("random_one", audio, ORDER) == [[2], [11]]
    assert shown("pairs", audio, ORDER) == [[2, 0], [3, 1], [11, 13], [10, 12]]
    assert shown("fold_batch", audio, ORDER) == [[0], [1], [2], [3], [10], [11], [12], [13]]


def test_in_the_fixed_order() -> None:
    audio = numbered(2, 5)
    assert shown("random_one", audio) == [[0], [10]]
    assert shown("pairs", audio) == [[0, 1], [2, 3], [10, 11], [12, 13]]  # one is left over
    assert len(shown("fold_batch", audio)) == 10


def test_a_discriminator_is_built_for_what_it_sees() -> None:
    for name, planes in (("all", 8), ("random_one", 2), ("fold_batch", 2), ("pairs", 4)):
        seen = f"model.discriminators.0.channels={name}"
        jury = build_networks(load_profile("baseline-32ch", [*TINY, seen]).profile)[1]
        assert jury is not None
        first = next(m for m in jury.modules() if isinstance(m, nn.Conv2d))
        assert first.in_channels == planes  # real and imaginary parts


class Mean(nn.Module):
    """Judges each signal (N, C, T) by the sum of its channels' first samples."""

    def forward(self, audio: Tensor) -> list[Judgement]:
        value = audio[..., :1].sum(1, keepdim=True)[..., None]  # (N, 1, 1, 1)
        return [(value, [2 * value])]


@pytest.mark.parametrize("name", PARTIAL)
def test_judgements_stay_those_of_their_signal(name: str) -> None:
    jury = Jury([Mean()], [CHANNEL_VIEWS[name]])
    ((logits, (feature_map,)),) = jury(numbered(2, 4), ORDER)
    expected = {
        "random_one": [[2.0], [11.0]],
        "fold_batch": [[0.0, 1, 2, 3], [10, 11, 12, 13]],
        "pairs": [[2.0, 4], [24, 22]],
    }[name]
    assert logits.flatten(1).tolist() == expected
    assert torch.equal(feature_map, 2 * logits)


def test_folding_means_over_the_channels_judged_alone() -> None:
    trained = recipe("fold_batch")
    whole = trained.evaluate(batch()).metrics
    estimate = trained.reconstruct(batch())
    jury = trained.modules()["discriminator"]
    with torch.no_grad():
        alone = [
            (1 - logits).relu().mean()
            for channel in range(4)
            for logits, _ in jury(estimate[:1, channel : channel + 1])
        ]
    torch.testing.assert_close(whole["generator"][0], torch.stack(alone).mean())


@pytest.mark.parametrize("name", PARTIAL)
def test_every_policy_trains_and_moves_both_networks(name: str) -> None:
    trained = recipe(name)
    before = {role: copy.deepcopy(n.state_dict()) for role, n in trained.modules().items()}
    scalars = trained.train_step(batch(), 0)
    assert all(bool(value.isfinite()) for value in scalars.values())
    for role, network in trained.modules().items():
        after = network.state_dict()
        assert any(not torch.equal(value, after[key]) for key, value in before[role].items())
    assert "in validation its first" in " ".join(trained.notes()) or name != "random_one"


def test_a_random_channel_is_one_of_each_item_and_the_same_of_the_reference() -> None:
    """A discriminator that sees audio alone meets the same channels twice, anew in each step."""
    trained = recipe("random_one")
    jury, seen = trained.modules()["discriminator"], []
    assert isinstance(jury, Jury)
    jury.discriminators[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    chosen = []
    for step in range(4):
        trained.train_step(batch(step), step)
        same = (batch(step)[:, :, None] == seen[-2][:, None]).all(-1).any(-1)  # (N, C)
        assert same.sum(1).tolist() == [1, 1]
        chosen.append(same.long().argmax(1).tolist())
    assert len({tuple(pair) for pair in chosen}) > 1


def test_orders_follow_from_seed_and_step_and_not_from_who_holds_a_signal() -> None:
    def orders(rank: int, ranks: int, *, step: int = 7, seed: int = 1) -> Tensor:
        adversary = recipe("pairs", f"trainer.seed={seed}")._adversary  # type: ignore[attr-defined]  # of the codec recipe
        adversary._runtime = SimpleNamespace(
            rank=rank, world_size=ranks, device=torch.device("cpu")
        )
        drawn: Tensor = adversary.orders(4 // ranks, 6, step=step)
        return drawn

    whole = orders(0, 1)
    assert whole.sort(-1).values.tolist() == [list(range(6))] * 4
    assert torch.equal(torch.cat([orders(0, 2), orders(1, 2)]), whole)
    assert not torch.equal(orders(0, 1, step=8), whole)
    assert not torch.equal(orders(0, 1, seed=2), whole)


@pytest.mark.parametrize("name", PARTIAL)
def test_validation_sees_the_same_channels_every_time_and_items_apart(name: str) -> None:
    trained = recipe(name)
    first = trained.evaluate(batch()).metrics
    trained.train_step(0 * batch(), 0)
    again = recipe(name).evaluate(batch()).metrics
    alone = recipe(name).evaluate(batch()[1:]).metrics
    for term in ("generator", "feature"):
        assert torch.equal(first[term], again[term])
        torch.testing.assert_close(alone[term][0], first[term][1])


def test_pairs_need_two_channels() -> None:
    pairs = "model.discriminators.0.channels=pairs"
    with pytest.raises(ProfileError, match=r"0\.channels: found 'pairs', allowed with model"):
        load_profile("mono", [pairs])
    assert load_profile("mono", [pairs.replace("pairs", "fold_batch")])
