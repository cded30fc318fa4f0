"""A global batch on one rank and split over two: the same update, in float64.

The ranks are threads that meet at a barrier; gradients are averaged before each move.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe

pytestmark = pytest.mark.long

OVERRIDES = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[1.0]",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.loss_config.reconstruction.weights.mel=0.0",  # its windows are float32
    "trainer.discriminator.start={step=0}",
    "trainer.discriminator.update_probability=1.0",
    "trainer.scheduler.enabled=false",
    "trainer.discriminator.scheduler.enabled=false",
)


class Meeting:
    """Where the ranks add up."""

    def __init__(self, world_size: int) -> None:
        self.world_size = world_size
        self.barrier = threading.Barrier(world_size, timeout=60)
        self.brought: dict[int, Tensor] = {}

    def total(self, rank: int, tensor: Tensor) -> Tensor:
        self.brought[rank] = tensor.detach().clone()
        self.barrier.wait()
        total = torch.stack([self.brought[each] for each in range(self.world_size)]).sum(0)
        self.barrier.wait()
        return total


class ThreadRuntime:
    """One thread of several."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        self.rank = rank
        self.world_size = meeting.world_size
        self.device = torch.device("cpu")
        self.scales_losses = False
        self.sharded = False
        self._meeting = meeting

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        return module, optimizer

    def autocast(self) -> AbstractContextManager[None]:
        return nullcontext()

    def backward(self, loss: Tensor) -> None:
        torch.autograd.backward(loss)

    def average_gradients(self, module: nn.Module) -> None:
        for parameter in module.parameters():
            if parameter.grad is not None:
                self.all_reduce_(parameter.grad)
                parameter.grad /= self.world_size

    def clip(
        self, module: nn.Module, optimizer: Optimizer, limit: float, *, by_value: bool = False
    ) -> Tensor:
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        return torch.nn.utils.get_total_norm(gradients)

    def all_reduce_(self, tensor: Tensor) -> None:
        tensor.copy_(self._meeting.total(self.rank, tensor))


def recipes(world_size: int, *overrides: str) -> list[Recipe]:
    profile = load_profile("paired", [*OVERRIDES, *overrides]).profile
    meeting = Meeting(world_size)
    built: list[Recipe] = []
    for rank in range(world_size):
        recipe = build_recipe(profile, runtime=ThreadRuntime(rank, meeting), updates_per_epoch=10)
        for network in recipe.modules().values():
            network.double()
        recipe.initialize(audio(100 + index) for index in range(10))
        built.append(recipe)
    return built


def audio(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(4, 2, 2400, generator=generator, dtype=torch.float64)


def channels(seed: int) -> Tensor:
    """Of the items of a batch, (4, 2)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(32, generator=generator)[:2] for _ in range(4)])


def train(world_size: int, *overrides: str, steps: int = 2) -> dict[str, Tensor]:
    ranks = recipes(world_size, *overrides)

    def work(rank: int) -> None:
        for step in range(steps):
            audio_part, channels_part = (
                whole.chunk(world_size)[rank] for whole in (audio(step), channels(step))
            )
            ranks[rank].train_step(audio_part, step, channels_part)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(world_size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        f"{role}.{name}": value
        for role, network in ranks[0].modules().items()
        for name, value in network.state_dict().items()
    }


@pytest.mark.parametrize("balanced", ["true", "false"])
def test_two_ranks_train_as_one_does(balanced: str) -> None:
    enabled = f"trainer.balancer.enabled={balanced}"
    alone, shared = train(1, enabled), train(2, enabled)
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=0, atol=1e-11, msg=name)


def test_two_ranks_have_the_gradient_shares_of_one() -> None:
    pairwise = "trainer.loss_config.pairwise"
    wanted = [
        f"{pairwise}.{term}.config.weighting=gradient_share" for term in ("similarity", "diversity")
    ]
    wanted.append(f"{pairwise}.similarity.config.frames=coherence")
    alone, shared = train(1, *wanted, steps=3), train(2, *wanted, steps=3)
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=0, atol=1e-11, msg=name)


def test_two_ranks_with_two_parts_each_train_as_one_does() -> None:
    """Levels of feature maps, depths and norms are of all four parts."""
    common = ("data.batch_size=4", "model.quantizer.dropout=true")
    alone = train(1, *common)
    shared = train(2, *common, "trainer.accumulate_grad_batches=2")
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=0, atol=1e-11, msg=name)


def test_two_ranks_with_two_parts_each_train_the_classifier_of_one() -> None:
    common = ("data.batch_size=4", "trainer.loss_config.pairwise.weights.classifier=0.5")
    alone = train(1, *common)
    assert any(name.startswith("classifier.") for name in alone)
    shared = train(2, *common, "trainer.accumulate_grad_batches=2")
    for name, value in alone.items():
        torch.testing.assert_close(shared[name], value, rtol=0, atol=1e-11, msg=name)
