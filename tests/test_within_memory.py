"""Memory runs out at every place of a step: the same update in smaller parts, or one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.memory import TornUpdateError, irreversible, is_out_of_memory
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.portions import smaller
from codecctl.engine.within_memory import MemoryExhaustedError, WithinMemory

from .tiny_training import batch, codec_of, players, recipe

pytestmark = pytest.mark.long

CPU = torch.device("cpu")
ORDERS = ("generator_first", "discriminator_first")
STEPS = 3


class Fault:
    """Runs out of memory some times, when it is armed.

    Args:
        after: Calls that succeed before.
        times: Failures.
    """

    def __init__(self, *, after: int = 0, times: int = 1) -> None:
        self.after, self.times = after, times
        self.armed = False

    def __call__(self, *_: object) -> None:
        if not self.armed or not self.times:
            return
        if self.after:
            self.after -= 1
            return
        self.times -= 1
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def in_forward(trained: Recipe, fault: Fault) -> None:
    trained.modules()["generator"].register_forward_pre_hook(fault)


def in_discriminators(trained: Recipe, fault: Fault) -> None:
    trained.modules()["discriminator"].register_forward_pre_hook(fault)


def in_backward(trained: Recipe, fault: Fault) -> None:
    def listen(_module: nn.Module, _given: object, latent: Tensor) -> None:
        if latent.requires_grad:
            latent.register_hook(fault)  # type: ignore[no-untyped-call]  # torch's

    codec_of(trained).network.autoencoder.encoder.register_forward_hook(listen)


PLACES: dict[str, tuple[Callable[[Recipe, Fault], None], int]] = {
    "first forward": (in_forward, 0),
    "first judgement": (in_discriminators, 0),
    "second judgement": (in_discriminators, 1),
    "last judgement": (in_discriminators, -1),
    "backward": (in_backward, 0),
}
"""Where, and after how many calls."""
LAST = {"trainer.order=generator_first": 1, "trainer.order=discriminator_first": 3}
"""Judgements before the last one; discriminators that come first have learned by then."""


def double(*overrides: str) -> Recipe:
    trained = recipe("trainer.precision=32-true", *overrides)
    losses = codec_of(trained)._objective._losses.values()
    for module in (*trained.modules().values(), *losses):
        if isinstance(module, nn.Module):
            module.double()
    trained.initialize(batch(seed).double() for seed in range(100, 120))
    return trained


def audio(step: int) -> Tensor:
    """Four items, each twice as loud as the one before."""
    loud = 2.0 ** torch.arange(-2, 2, dtype=torch.float64).reshape(-1, 1, 1)
    return loud * batch(step).double()


def weights(trained: Recipe) -> dict[str, Tensor]:
    return {
        f"{role}.{name}": value.clone()
        for role, network in trained.modules().items()
        for name, value in network.state_dict().items()
    }


def careful(
    trained: Recipe, *, halve: bool = True, ranks: int = 1, told: list[str] | None = None
) -> WithinMemory:
    warn = (told if told is not None else []).append
    return WithinMemory(trained, device=CPU, ranks=ranks, halve=halve, warn=warn)


def train(trained: Recipe, fault: Fault | None = None) -> None:
    for step in range(STEPS):
        if fault is not None:
            fault.armed = step == 1
        trained.train_step(audio(step), step)


@pytest.fixture(scope="module", params=ORDERS)
def undisturbed(request: pytest.FixtureRequest) -> tuple[str, dict[int, dict[str, Tensor]]]:
    """Weights of trainings that had begun with two and four parts, by parts."""
    torch.set_num_threads(1)
    order = f"trainer.order={request.param}"
    found: dict[int, dict[str, Tensor]] = {}
    for parts in (2, 4):
        trained = double(order, f"trainer.accumulate_grad_batches={parts}")
        train(trained)
        found[parts] = weights(trained)
    return order, found


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("times", [1, 2])
def test_wherever_memory_runs_out_the_update_is_that_of_smaller_parts(
    undisturbed: tuple[str, dict[int, dict[str, Tensor]]],
    place: str,
    times: Literal[1, 2],
) -> None:
    order, expected = undisturbed
    put, after = PLACES[place]
    after = LAST[order] if after < 0 else after
    trained, told, fault = double(order), list[str](), Fault(after=after, times=times)
    put(trained, fault)
    train(careful(trained, told=told), fault)
    assert fault.times == 0
    assert trained.items_at_once == 4 // 2**times
    for name, value in weights(trained).items():
        torch.testing.assert_close(value, expected[2**times][name], rtol=0, atol=1e-9, msg=name)
    assert len(told) == times
    assert told[0].startswith("step 2: out of memory (CPU: ")
    assert told[0].endswith(
        "with 4 items at once; goes on with 2 at once, as trainer.accumulate_grad_batches=2 would, "
        "and repeats the step"
    )


def test_averages_and_codebooks_hear_of_a_repeated_step_once() -> None:
    fault = Fault()
    trained, other = double(), double()
    in_backward(trained, fault)
    train(careful(trained), fault)
    train(other)
    ours, theirs = trained.state_dict(), other.state_dict()
    for part in ("balancer", "shares"):
        for kind, values in theirs[part].items():  # type: ignore[attr-defined]  # dicts of tensors
            for name, value in values.items():
                found = ours[part][kind][name]  # type: ignore[index]  # the same
                torch.testing.assert_close(found, value, rtol=1e-6, atol=1e-9)


def test_one_item_at_once_is_the_end() -> None:
    fault = Fault(times=10)
    trained, told = double(), list[str]()
    in_forward(trained, fault)
    before = weights(trained)
    fault.armed = True
    with pytest.raises(
        MemoryExhaustedError,
        match=r"^step 1: out of memory \(CPU: .* GB free\); 1 item went through the networks at "
        r"once; no smaller part of a batch is possible: choose another GPU, or start another run",
    ):
        careful(trained, told=told).train_step(audio(0), 0)
    assert len(told) == 2
    for name, value in weights(trained).items():
        assert torch.equal(value, before[name])


def test_who_has_not_asked_gets_what_to_type() -> None:
    fault = Fault()
    trained = double()
    in_discriminators(trained, fault)
    fault.armed = True
    with pytest.raises(
        MemoryExhaustedError,
        match=r"^step 1: out of memory \(CPU: [\d.]+ GB in use here, [\d.]+ GB of [\d.]+ GB "
        r"free\); 4 items went through the networks at once; "
        r"type: trainer\.accumulate_grad_batches=2 --resume$",
    ):
        careful(trained, halve=False).train_step(audio(0), 0)


def test_one_of_several_processes_does_not_repeat_a_step_alone() -> None:
    fault = Fault()
    trained = double()
    in_forward(trained, fault)
    fault.armed = True
    with pytest.raises(MemoryExhaustedError, match="in each of 2 processes, which cannot repeat"):
        careful(trained, ranks=2).train_step(audio(0), 0)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_step_that_has_begun_to_move_weights_is_not_repeated(role: str, order: str) -> None:
    trained = double(f"trainer.order={order}")
    fault = Fault()
    fault.armed = True
    players(trained)[role]._plain_optimizer.register_step_pre_hook(fault)
    with pytest.raises(
        MemoryExhaustedError,
        match=r"optimizers?'? ?.*had begun to move weights, so that the step cannot be repeated; "
        r"type: trainer\.accumulate_grad_batches=2 --resume",
    ):
        careful(trained).train_step(audio(0), 0)


def test_other_errors_pass_as_they_are() -> None:
    trained = double()

    def fail(*_: object) -> None:
        raise RuntimeError("shapes do not fit")

    trained.modules()["generator"].register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        careful(trained).train_step(audio(0), 0)


def test_validation_and_previews_have_their_own_remedies() -> None:
    fault = Fault(times=2)
    trained = double()
    average = trained.modules()["average"]  # validation is of it
    assert isinstance(average, CodecNetwork)
    average.autoencoder.encoder.register_forward_pre_hook(fault)
    fault.armed = True
    with pytest.raises(MemoryExhaustedError, match=r"validation of 4 .*data\.val_batch_size=2 --r"):
        careful(trained).evaluate(audio(0))
    with pytest.raises(MemoryExhaustedError, match=r"type: trainer\.previews\.items=0 --resume"):
        careful(trained).reconstruct(audio(0))


def test_the_error_of_the_host_is_known_by_its_words() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 52)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not is_out_of_memory(RuntimeError("shapes do not fit"))
    with pytest.raises(TornUpdateError, match="the optimizers"), irreversible("the optimizers"):
        raise caught.value
    with pytest.raises(ValueError, match="else"), irreversible("the optimizers"):
        raise ValueError("else")


def test_parts_halve_or_else_take_the_next_divisor() -> None:
    assert [smaller(items) for items in (8, 6, 9, 5, 2, 1)] == [4, 3, 3, 1, 1, 0]
