"""The discriminators' part in a step: when they judge, what they learn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from codecctl.engine.losses.adversarial import (
    hinge_discriminator_loss,
    hinge_generator_loss,
    relative_feature_loss,
)
from codecctl.engine.networks import Judgement
from codecctl.engine.recipes.base import Runtime, Scalars
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


@dataclass(frozen=True)
class Verdict:
    """Judgements of an estimate and its reference."""

    estimate: Judgements
    reference: Judgements
    learning: bool
    """Whether their graph reaches the discriminators' weights."""

    def terms(self, num_groups: int, over_ranks: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """What the generator is told, by term: (num_groups,) each."""
        return {
            "generator": hinge_generator_loss(
                [logits for logits, _ in self.estimate], num_groups=num_groups
            ),
            "feature": relative_feature_loss(
                [maps for _, maps in self.estimate],
                [maps for _, maps in self.reference],
                num_groups=num_groups,
                over_ranks=over_ranks,
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

    def judge(self, estimate: Tensor, reference: Tensor, *, learning: bool) -> Verdict:
        """Judge both, (N, C, T) each.

        Unless learning, the weights are frozen and the reference needs no graph.
        """
        network = self.player.wrapped
        network.requires_grad_(learning)
        with self._runtime.autocast():
            with nullcontext() if learning else torch.no_grad():
                of_reference: Judgements = network(reference)
            of_estimate: Judgements = network(estimate)
        return Verdict(estimate=of_estimate, reference=of_reference, learning=learning)

    def open(
        self, estimate: Tensor, reference: Tensor, *, num_groups: int, step: int
    ) -> tuple[Verdict | None, Scalars]:
        """Judgement for the generator's update, none before the discriminators take part.

        Args:
            estimate: A leaf that requires gradients, (N, C, T).
            reference: (N, C, T).
            num_groups: Signals of an item.
            step: Updates done so far.
        """
        learning = self.timing.learns(step, seed=self._seed)
        scalars: Scalars = {}
        if learning and not self.timing.generator_first:
            # Detached: this update must not reach the codec.
            verdict = self.judge(estimate.detach(), reference, learning=True)
            scalars = self._learn(verdict, num_groups=num_groups, step=step)
            learning = False
        if not self.timing.judges(step):
            return None, scalars
        return self.judge(estimate, reference, learning=learning), scalars

    def close(self, verdict: Verdict, *, num_groups: int, step: int) -> Scalars:
        """Learn from the judgement if it was made for that, else only report the loss."""
        if verdict.learning:
            return self._learn(verdict, num_groups=num_groups, step=step)
        with torch.no_grad():
            return {"loss/discriminator": verdict.loss(num_groups)}

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

    def _learn(self, verdict: Verdict, *, num_groups: int, step: int) -> Scalars:
        loss = verdict.loss(num_groups)
        norm = self.player.update(loss, step=step)
        return {"loss/discriminator": loss.detach(), "grad_norm/discriminator": norm}
