"""What each stage of a training would need, measured with one item and two."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codecctl.engine.assemble import enter
from codecctl.engine.device import peak_memory_mb
from codecctl.engine.feed import Feed
from codecctl.engine.prepare import Prepared
from codecctl.engine.recipes.base import Recipe


@dataclass(frozen=True)
class StageEstimate:
    """Of one stage, with everything that acts at its end."""

    name: str
    """Empty where there are no stages."""
    steps: int
    """Updates of the training that are in it."""
    item_seconds: float
    """An update with one item."""
    validation_item_seconds: float
    memory_mb: float
    """The most that the process had held by then, with one item."""
    batch_memory_mb: float
    """With as many items as are trained at once, if each adds what the second one added."""
    step_seconds: float
    """An update with a whole batch, by the same rule; where it is trained in parts, each item is
    coded once more, which counts as long as its validation."""


@dataclass(frozen=True)
class Estimate:
    """Sizes and times; those of whole batches and trainings are extrapolated."""

    parameters: dict[str, int]
    """By role of the network."""
    stages: tuple[StageEstimate, ...]
    """Of a training without stages: one."""
    checkpoint_mb: float

    @property
    def memory_mb(self) -> float:
        """The most that the process held with one item."""
        return max(stage.memory_mb for stage in self.stages)

    @property
    def batch_memory_mb(self) -> float:
        """The most with a batch."""
        return max(stage.batch_memory_mb for stage in self.stages)

    @property
    def total_seconds(self) -> float:
        """All updates."""
        return sum(stage.step_seconds * stage.steps for stage in self.stages)


def estimate(prepared: Prepared) -> Estimate:
    """Train every stage with one item and with two, validate one, and extrapolate; writes nothing.

    The networks of `prepared` are changed by it: build others to train.
    """
    cadence, recipe = prepared.cadence, prepared.recipe
    parameters: dict[str, int] = {}
    found: list[StageEstimate] = []
    for stage in cadence.stages:
        first = max(stage.first_step, cadence.first_step)
        end = min(stage.end_step, cadence.max_steps)
        if end <= first:
            continue
        enter(recipe, stage)
        parameters |= _sizes(recipe)
        # At its end, where discriminators act that start within it.
        found.append(_measured(prepared, stage.name, end - first, step=max(first, end - 3)))
    if not found:
        parameters |= _sizes(recipe)
        found.append(_measured(prepared, "", cadence.max_steps, step=0))
    return Estimate(parameters, tuple(found), checkpoint_mb(prepared))


def _measured(prepared: Prepared, name: str, steps: int, *, step: int) -> StageEstimate:
    """What an update of a stage needs, three of which are made from a step on."""
    data, recipe, device = prepared.data, prepared.recipe, prepared.runtime.device
    batch_size = data.train.batch_size
    _update(prepared, items=1, step=step)  # starts libraries and fills caches
    one_item = _update(prepared, items=1, step=step + 1)
    memory = peak_memory_mb(device)
    two_items = _update(prepared, items=min(2, batch_size), step=step + 2)
    growth = peak_memory_mb(device) - memory
    started = time.monotonic()
    with torch.no_grad():
        recipe.evaluate(*_batch(prepared, items=1))
    validation_seconds = time.monotonic() - started
    step_seconds = one_item + max(two_items - one_item, 0.0) * (batch_size - 1)
    parts = prepared.profile.trainer.accumulate_grad_batches
    if parts > 1:
        step_seconds += validation_seconds * batch_size
    return StageEstimate(
        name=name,
        steps=steps,
        item_seconds=one_item,
        validation_item_seconds=validation_seconds,
        memory_mb=memory,
        batch_memory_mb=memory + growth * (batch_size // parts - 1),
        step_seconds=step_seconds,
    )


def _sizes(recipe: Recipe) -> dict[str, int]:
    return {role: count_parameters(network) for role, network in recipe.modules().items()}


def count_parameters(network: nn.Module) -> int:
    """Numbers that the optimizer changes."""
    return sum(parameter.numel() for parameter in network.parameters())


def checkpoint_mb(prepared: Prepared) -> float:
    """Size of a checkpoint: what trains with two moments of Adam; the codec twice, average too."""
    networks = prepared.recipe.modules()
    sizes = {
        role: sum(p.numel() * p.element_size() for p in network.parameters())
        for role, network in networks.items()
    }
    buffers = sum(b.numel() * b.element_size() for n in networks.values() for b in n.buffers())
    trained = sum(size for role, size in sizes.items() if role != "average")
    again = sizes["generator"] + 2 * sizes.get("average", 0)
    return (3 * trained + again + 2 * buffers) / 1e6


def _update(prepared: Prepared, *, items: int, step: int) -> float:
    """Seconds that an update takes, with waiting for the device."""
    audio, channels = _batch(prepared, items=items)
    started = time.monotonic()
    scalars = prepared.recipe.train_step(audio, step, channels)
    torch.stack(list(scalars.values())).tolist()
    return time.monotonic() - started


def _batch(prepared: Prepared, *, items: int) -> tuple[Tensor, Tensor]:
    """Audio (items, M, T) and its channels (items, M)."""
    batch = prepared.data.train.batch(0, rows=slice(0, items))
    feed = Feed(prepared.runtime.device)
    return feed.audio(batch), feed.channels(batch)
