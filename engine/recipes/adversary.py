"""The discriminators' part in a step: when they judge, what they learn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from codecctl.engine.losses.adversarial import (
    feature_levels,
    hinge_discriminator_loss,
    hinge_generator_loss,
    relative_feature_loss,
)
from codecctl.engine.networks import Judgement
from codecctl.engine.recipes.base import Runtime, Scalars, mean_over_ranks
from codecctl.engine.recipes.player import Player
from codecctl.engine.seeds import draw

Judgements: TypeAlias = list[Judgement]
"""Logits and feature maps of every scale."""


class Jury(nn.Module):
    """Several discriminators as one.

    Args:
        discriminators: Each judges audio at one or more scales.
    """

    def __init__(self, discriminators: list[nn.Module]) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(discriminators)

    def forward(self, audio: Tensor) -> Judgements:
        """Judge audio (N, C, T) at every scale of every discriminator."""
        judgements: Judgements = []
        for discriminator in self.discriminators:
            judgements += discriminator(audio)
        return judgements


@dataclass(frozen=True)
class Timing:
    """When the discriminators act."""

    start_step: int
    """First step, counted from 0, on which they may learn."""
    update_probability: float
    """Chance that a step updates them."""
    update_every: int
    """Steps between updates."""
    generator_first: bool
    """Whether both players learn from judgements made before either moved."""
    adversarial_before_start: bool
    """Whether the generator is trained against untrained discriminators before the start."""

    def judges(self, step: int) -> bool:
        """Whether the generator is trained against them on this step."""
        return self.adversarial_before_start or step >= self.start_step

    def learns(self, step: int, *, seed: int) -> bool:
        """Whether they are updated on this step: a function of the seed and the step."""
        if step < self.start_step or step % self.update_every:
            return False
        return draw(seed, step=step, purpose="discriminator") < self.update_probability


class Exhibit(NamedTuple):
    """What is judged: signals (N, C, T)."""

    estimate: Tensor
    """A leaf that requires gradients where the generator is to learn from the judgement."""
    reference: Tensor


@dataclass(frozen=True)
class Verdict:
    """Judgements of an estimate and its reference."""

    estimate: Judgements
    reference: Judgements
    learning: bool
    """Whether their graph reaches the discriminators' weights."""

    def levels(self, num_groups: int) -> Tensor:
        """Mean size of each feature map of the reference: (maps, num_groups)."""
        return feature_levels([maps for _, maps in self.reference], num_groups=num_groups)

    def terms(self, num_groups: int, levels: Tensor | None = None) -> dict[str, Tensor]:
        """What the generator is told, by term: (num_groups,) each.

        Args:
            num_groups: Signals of an item.
            levels: Those of the global batch, if this is a part of it.
        """
        return {
            "generator": hinge_generator_loss(
                [logits for logits, _ in self.estimate], num_groups=num_groups
            ),
            "feature": relative_feature_loss(
                [maps for _, maps in self.estimate],
                [maps for _, maps in self.reference],
                num_groups=num_groups,
                levels=levels,
            ),
        }

    def loss(self, num_groups: int) -> Tensor:
        """What the discriminators are told: the sum over groups, 0-d."""
        return hinge_discriminator_loss(
            [logits for logits, _ in self.estimate],
            [logits for logits, _ in self.reference],
            num_groups=num_groups,
        ).sum()


class Adversary:
    """Discriminators and their training.

    With the generator first, its update and theirs read the same judgements: the weights have not
    moved in between, so a second pass would give the same numbers. With the discriminators first,
    the generator is judged by the updated weights.

    Args:
        player: The jury, its optimizer and its learning rate.
        timing: When they act.
        seed: With the step it decides on random updates.
        runtime: Runs it.
    """

    def __init__(self, player: Player, *, timing: Timing, seed: int, runtime: Runtime) -> None:
        self.player = player
        self.timing = timing
        self._seed = seed
        self._runtime = runtime

    def judge(self, exhibit: Exhibit, *, learning: bool = False) -> Verdict:
        """Judge estimate and reference.

        Unless learning, the weights are frozen and the reference needs no graph.
        """
        network = self.player.wrapped
        network.requires_grad_(learning)
        with self._runtime.autocast():
            with nullcontext() if learning else torch.no_grad():
                of_reference: Judgements = network(exhibit.reference)
            of_estimate: Judgements = network(exhibit.estimate)
        return Verdict(estimate=of_estimate, reference=of_reference, learning=learning)

    def learn_first(self, exhibits: Sequence[Exhibit], *, num_groups: int, step: int) -> Scalars:
        """Update the discriminators where they come before the generator; else nothing.

        Args:
            exhibits: Parts of a batch, of one size.
            num_groups: Signals of an item.
            step: Updates done so far.
        """
        if self.timing.generator_first or not self.timing.learns(step, seed=self._seed):
            return {}
        losses: list[Tensor] = []
        for exhibit in exhibits:
            # Detached: this update must not reach the codec.
            detached = exhibit._replace(estimate=exhibit.estimate.detach())
            verdict = self.judge(detached, learning=True)
            losses.append(self._gather(verdict.loss(num_groups), parts=len(exhibits)))
        return self._learned(losses, step)

    def levels(self, exhibits: Sequence[Exhibit], *, num_groups: int, step: int) -> Tensor | None:
        """`Verdict.levels` of the global batch; None where it is one part, which knows them itself.

        Of several parts each reference is judged once more, without a graph: the first of them
        needs the levels of the last.
        """
        if not self.timing.judges(step) or len(exhibits) == 1:
            return None
        levels: list[Tensor] = []
        with torch.no_grad(), self._runtime.autocast():
            for exhibit in exhibits:
                judged: Judgements = self.player.wrapped(exhibit.reference)
                maps = [of_scale for _, of_scale in judged]
                levels.append(feature_levels(maps, num_groups=num_groups))
        return mean_over_ranks(torch.stack(levels).mean(0), self._runtime)

    def open(self, exhibit: Exhibit, *, step: int) -> Verdict | None:
        """Judgement for the generator's update, none before the discriminators take part."""
        if not self.timing.judges(step):
            return None
        learns = self.timing.generator_first and self.timing.learns(step, seed=self._seed)
        return self.judge(exhibit, learning=learns)

    def terms(
        self, verdict: Verdict, *, num_groups: int, levels: Tensor | None
    ) -> dict[str, Tensor]:
        """What the generator is told, by term: (num_groups,) each.

        Args:
            verdict: From `open`.
            num_groups: Signals of an item.
            levels: From `levels`.
        """
        if levels is None:
            levels = mean_over_ranks(verdict.levels(num_groups), self._runtime)
        return verdict.terms(num_groups, levels)

    def hear(self, verdict: Verdict, *, num_groups: int, parts: int) -> Tensor:
        """The loss of a judgement, 0-d; where it was made for that, its gradient is kept.

        Args:
            verdict: From `open`; its graph is gone afterwards.
            num_groups: Signals of an item.
            parts: How many judgements make an update.
        """
        if verdict.learning:
            return self._gather(verdict.loss(num_groups), parts=parts)
        with torch.no_grad():
            return verdict.loss(num_groups)

    def close(self, losses: Sequence[Tensor], *, step: int) -> Scalars:
        """Learn from what was heard if it was made for that, else only report the loss."""
        if self.timing.generator_first and self.timing.learns(step, seed=self._seed):
            return self._learned(losses, step)
        return {"loss/discriminator": torch.stack(list(losses)).mean()} if losses else {}

    def notes(self) -> tuple[str, ...]:
        """When the discriminators begin."""
        timing = self.timing
        if timing.start_step == 0:
            return ()
        terms = "act from step 0" if timing.adversarial_before_start else "begin with them"
        return (
            f"The discriminators learn from step {timing.start_step} on; loss/generator and "
            f"loss/feature {terms}.",
        )

    def _gather(self, loss: Tensor, *, parts: int) -> Tensor:
        self.player.backward(loss / parts)
        return loss.detach()

    def _learned(self, losses: Sequence[Tensor], step: int) -> Scalars:
        norm = self.player.move(step)
        loss = torch.stack(list(losses)).mean()
        return {"loss/discriminator": loss, "grad_norm/discriminator": norm}
