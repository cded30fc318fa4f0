"""Averaged weights: the closed form, who uses them, and that nothing else notices."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from codecctl.engine.build import build_networks, build_recipe
from codecctl.engine.checkpoint import Identity, save_checkpoint
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import CodecctlError

pytestmark = pytest.mark.long

TINY = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "data.batch_size=2",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.quantizer.codebook_size=4",
    "model.quantizer.bandwidths=[1.0]",
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.scheduler.enabled=false",
    "trainer.optimizer.config.lr=0.01",
    "trainer.discriminator.start={step=0}",
)
AVERAGED = ("trainer.ema.enabled=true", "trainer.ema.decay=0.5")
IDENTITY = Identity(mode="toy", profile_hash="p", store_fingerprint="s")


def network() -> CodecNetwork:
    return build_networks(load_profile("mono", TINY).profile)[0]


def recipe(*overrides: str) -> Recipe:
    profile = load_profile("paired", [*TINY, *overrides]).profile
    trained = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)
    trained.initialize(iter(batch(seed) for seed in range(100, 120)))
    return trained


def batch(seed: int) -> Tensor:
    return 0.1 * torch.randn(2, 2, 2400, generator=torch.Generator().manual_seed(seed))


def weights(trained: Recipe, role: str) -> dict[str, Tensor]:
    return copy.deepcopy(trained.modules()[role].state_dict())


def same(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_the_average_is_the_closed_form_and_owes_nothing_to_the_start() -> None:
    followed = network().double()
    average = WeightAverage(followed, decay=0.75)
    generator = torch.Generator().manual_seed(0)
    seen: list[Tensor] = []
    first = next(followed.parameters())
    for step in range(6):
        with torch.no_grad():
            first.copy_(torch.randn(first.shape, generator=generator, dtype=torch.float64))
        seen.append(first.detach().clone())
        average.follow(torch.tensor(False))
        shares = torch.tensor([0.75 ** (step - k) for k in range(step + 1)]).double()
        expected = torch.einsum("k,k...->...", shares / shares.sum(), torch.stack(seen))
        ours = next(average.network.parameters())
        torch.testing.assert_close(ours.detach(), expected, rtol=0, atol=1e-12)
    assert torch.equal(first, seen[-1])


def test_by_hand_one_and_then_three_average_to_seven_thirds() -> None:
    followed = network()
    average = WeightAverage(followed, decay=0.5)
    parameter, ours = next(followed.parameters()), next(average.network.parameters())
    for value in (1.0, 3.0):
        with torch.no_grad():
            parameter.fill_(value)
        average.follow(torch.tensor(False))
    torch.testing.assert_close(ours.detach(), torch.full_like(ours, 7 / 3))  # (0.5 + 3) / 1.5


def test_buffers_are_copied_and_not_averaged() -> None:
    trained = recipe(*AVERAGED)
    for step in range(2):
        trained.train_step(batch(step), step)
    ours, theirs = trained.modules()["average"], trained.modules()["generator"]
    assert same(dict(ours.named_buffers()), dict(theirs.named_buffers()))
    moving = dict(theirs.named_parameters())
    assert not same({name: p.detach() for name, p in ours.named_parameters()}, moving)


def test_the_training_does_not_notice_the_average() -> None:
    plain, averaged = recipe(), recipe(*AVERAGED)
    for step in range(3):
        ours, theirs = (each.train_step(batch(step), step) for each in (averaged, plain))
        assert same(ours, theirs)
        averaged.evaluate(batch(9))
    for role in ("generator", "discriminator"):
        assert same(weights(averaged, role), weights(plain, role))
    assert set(plain.modules()) == {"generator", "discriminator"}
    assert set(plain.state_dict()) == {"generator", "discriminator", "balancer"}


def test_validation_and_previews_are_of_the_averaged_weights() -> None:
    trained, other = recipe(*AVERAGED), recipe()
    for step in range(3):
        trained.train_step(batch(step), step)
    trained_weights = weights(trained, "generator")
    for role, source in (("generator", "average"), ("discriminator", "discriminator")):
        other.modules()[role].load_state_dict(weights(trained, source))
    assert torch.equal(trained.reconstruct(batch(9)), other.reconstruct(batch(9)))
    ours, theirs = trained.evaluate(batch(9)).metrics, other.evaluate(batch(9)).metrics
    assert same(dict(ours), dict(theirs))
    other.modules()["generator"].load_state_dict(trained_weights)
    assert not torch.equal(trained.reconstruct(batch(9)), other.reconstruct(batch(9)))
    assert "averaged weights (trainer.ema.decay 0.5)" in " ".join(trained.notes())
    assert "averaged" not in " ".join(other.notes())


def test_before_the_first_step_the_average_is_the_fitted_start() -> None:
    trained = recipe(*AVERAGED, "model.quantizer.type=vq")  # k-means moves parameters
    assert same(weights(trained, "average"), weights(trained, "generator"))


def test_a_restored_average_continues_bit_for_bit(tmp_path: Path) -> None:
    straight, first, second = (recipe(*AVERAGED) for _ in range(3))
    for step in range(4):
        straight.train_step(batch(step), step)
    for step in range(2):
        first.train_step(batch(step), step)
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for step in range(2, 4):
        second.train_step(batch(step), step)
    for role in straight.modules():
        assert same(weights(straight, role), weights(second, role))


def test_a_checkpoint_holds_both_weights_and_says_whose_its_metrics_are(tmp_path: Path) -> None:
    moving, averaged = network(), network()
    with torch.no_grad():
        next(averaged.parameters()).fill_(2.0)

    def save(step: int, average: CodecNetwork | None) -> Path:
        return save_checkpoint(
            tmp_path,
            {},
            generator=moving,
            average=average,
            identity=IDENTITY,
            step=step,
            epoch=1,
            metrics={},
        )

    plain, both = save(1, None), save(2, averaged)
    assert not (plain / "ema.safetensors").exists()
    assert same(load_file(both / "ema.safetensors"), averaged.state_dict())
    assert same(load_file(both / "weights.safetensors"), moving.state_dict())
    of = [json.loads((path / "meta.json").read_text())["metrics_of"] for path in (plain, both)]
    assert of == ["weights.safetensors", "ema.safetensors"]
    with torch.no_grad():
        next(averaged.parameters()).fill_(float("nan"))
    with pytest.raises(CodecctlError, match=r"step 3: weight .* is not finite"):
        save(3, averaged)
    assert not (tmp_path / "step-000000003").exists()
