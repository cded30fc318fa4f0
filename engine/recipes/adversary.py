"""The discriminators' part in a step: when they judge, what they learn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, cast

import torch
from torch import Tensor, nn

from codecctl.engine.losses.adversarial import (
    feature_levels,
    hinge_discriminator_loss,
    hinge_generator_loss,
    relative_feature_loss,
    summed_feature_loss,
)
from codecctl.engine.memory import irreversible
from codecctl.engine.networks import CHANNEL_VIEWS, ChannelView, Judgement
from codecctl.engine.recipes.base import Runtime, Scalars, mean_over_ranks
from codecctl.engine.recipes.player import Player
from codecctl.engine.recipes.timing import Timing
from codecctl.engine.seeds import generator_at

Judgements: TypeAlias = list[Judgement]
"""Logits and feature maps of every scale."""


FeatureKind = Literal["relative", "summed"]
"""How distances of feature maps are made one number: see `losses.adversarial`."""


class Jury(nn.Module):
    """Several discriminators as one.

    Args:
        discriminators: Each judges audio at one or more scales.
        views: Which channels each of them sees; all if not given.
    """

    def __init__(
        self, discriminators: Sequence[nn.Module], views: Sequence[ChannelView] = ()
    ) -> None:
        super().__init__()
        self.discriminators = nn.ModuleList(discriminators)
        self._views = tuple(views) or (CHANNEL_VIEWS["all"],) * len(self.discriminators)
        self._acting = tuple(range(len(self.discriminators)))

    def act(self, acting: Sequence[int]) -> None:
        """Let those of these positions judge from now on, and the others pause."""
        assert acting, "a jury of nobody"
        self._acting = tuple(acting)

    @property
    def views(self) -> tuple[ChannelView, ...]:
        """Which channels each of those sees that act."""
        return tuple(self._views[at] for at in self._acting)

    @property
    def shuffles(self) -> bool:
        """Whether a judgement depends on the order of channels."""
        return any(view.shuffles for view in self.views)

    def forward(self, audio: Tensor, order: Tensor | None = None) -> Judgements:
        """Judge audio (N, C, T) at every scale of every discriminator that acts.

        Args:
            audio: (N, C, T).
            order: Of the channels of each signal, (N, C); a fixed one if None.
        """
        judgements: Judgements = []
        for at in self._acting:
            view = self._views[at]
            judged = self.discriminators[at](view.show(audio, order))
            judgements += view.by_signal(judged, signals=len(audio))
        return judgements


class Exhibit(NamedTuple):
    """What is judged: signals (N, C, T)."""

    estimate: Tensor
    """A leaf that requires gradients where the generator is to learn from the judgement."""
    reference: Tensor
    order: Tensor | None = None
    """Of the channels of each signal, for discriminators that see some of them (N, C); a fixed
    one if None."""


@dataclass(frozen=True)
class Verdict:
    """Judgements of an estimate and its reference."""

    estimate: Judgements
    reference: Judgements
    learning: bool
    """Whether their graph reaches the discriminators' weights."""
    feature: FeatureKind = "relative"

    def levels(self, num_groups: int) -> Tensor:
        """Mean size of each feature map of the reference: (maps, num_groups)."""
        return feature_levels([maps for _, maps in self.reference], num_groups=num_groups)

    def terms(self, num_groups: int, levels: Tensor | None = None) -> dict[str, Tensor]:
        """What the generator is told, by term: (num_groups,) each.

        Args:
            num_groups: Signals of an item.
            levels: Those of the global batch, if this is a part of it.
        """
        ours = [maps for _, maps in self.estimate]
        theirs = [maps for _, maps in self.reference]
        if self.feature == "summed":
            feature = summed_feature_loss(ours, theirs, num_groups=num_groups)
        else:
            feature = relative_feature_loss(ours, theirs, num_groups=num_groups, levels=levels)
        logits = [logits for logits, _ in self.estimate]
        return {
            "generator": hinge_generator_loss(logits, num_groups=num_groups),
            "feature": feature,
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
        feature: Kind of feature matching.
    """

    def __init__(
        self,
        player: Player,
        *,
        timing: Timing,
        seed: int,
        runtime: Runtime,
        feature: FeatureKind = "relative",
    ) -> None:
        self.player = player
        self.timing = timing
        self._seed = seed
        self._runtime = runtime
        self._feature: FeatureKind = feature
        self._learned_first: Scalars | None = None

    def orders(self, signals: int, channels: int, *, step: int) -> Tensor | None:
        """Orders of the channels of so many signals, (N, C), if any discriminator needs them.

        Drawn for the global batch, so that it does not matter which rank holds a signal.
        """
        if channels == 1 or not cast(Jury, self.player.network).shuffles:
            return None
        generator = generator_at(self._seed, step=step, purpose="channels")
        draws = torch.rand(self._runtime.world_size, signals, channels, generator=generator)
        orders = draws.argsort(-1)[self._runtime.rank]
        return orders.to(self._runtime.device, non_blocking=True)

    def judge(self, exhibit: Exhibit, *, learning: bool = False) -> Verdict:
        """Judge estimate and reference.

        Unless learning, the weights are frozen and the reference needs no graph.
        """
        network = self.player.wrapped
        network.requires_grad_(learning)
        with self._runtime.autocast():
            with nullcontext() if learning else torch.no_grad():
                of_reference: Judgements = network(exhibit.reference, exhibit.order)
            of_estimate: Judgements = network(exhibit.estimate, exhibit.order)
        return Verdict(of_estimate, of_reference, learning, self._feature)

    def learn_first(self, exhibits: Sequence[Exhibit], *, num_groups: int, step: int) -> Scalars:
        """Update the discriminators where they come before the generator; else nothing.

        A step that is done again finds them updated, and leaves it at that.

        Args:
            exhibits: Parts of a batch, of one size.
            num_groups: Signals of an item.
            step: Updates done so far.
        """
        if self.timing.generator_first or not self.timing.learns(step, seed=self._seed):
            return {}
        if self._learned_first is not None:
            return self._learned_first
        losses: list[Tensor] = []
        for exhibit in exhibits:
            # Detached: this update must not reach the codec.
            detached = exhibit._replace(estimate=exhibit.estimate.detach())
            verdict = self.judge(detached, learning=True)
            losses.append(self._gather(verdict.loss(num_groups), parts=len(exhibits)))
        with irreversible("the discriminators' optimizer"):
            self._learned_first = self._learned(losses, step)
        return self._learned_first

    def levels(self, exhibits: Sequence[Exhibit], *, num_groups: int, step: int) -> Tensor | None:
        """`Verdict.levels` of the global batch; None where it is one part, which knows them itself.

        Of several parts each reference is judged once more, without a graph: the first of them
        needs the levels of the last.
        """
        summed = self._feature == "summed"  # relative to nothing
        if not self.timing.judges(step) or len(exhibits) == 1 or summed:
            return None
        levels: list[Tensor] = []
        with torch.no_grad(), self._runtime.autocast():
            for exhibit in exhibits:
                judged: Judgements = self.player.wrapped(exhibit.reference, exhibit.order)
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
        if levels is None and self._feature == "relative":
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
        """End a step: learn from what was heard if it was made for that, else only report it."""
        self._learned_first = None
        if self.timing.generator_first and self.timing.learns(step, seed=self._seed):
            return self._learned(losses, step)
        return {"loss/discriminator": torch.stack(list(losses)).mean()} if losses else {}

    def forget(self) -> None:
        """Drop the gradients of a step that did not come to its end."""
        self.player.forget()

    def notes(self) -> tuple[str, ...]:
        """What the discriminators see, and when they begin."""
        timing = self.timing
        views = dict.fromkeys(view.note for view in cast(Jury, self.player.network).views)
        lines = [f"loss/generator and loss/feature are of {note}." for note in views if note]
        if timing.start_step:
            terms = "act from step 0" if timing.adversarial_before_start else "begin with them"
            lines.append(
                f"The discriminators learn from step {timing.start_step} on; loss/generator and "
                f"loss/feature {terms}."
            )
        return tuple(lines)

    def _gather(self, loss: Tensor, *, parts: int) -> Tensor:
        self.player.backward(loss / parts)
        return loss.detach()

    def _learned(self, losses: Sequence[Tensor], step: int) -> Scalars:
        loss = torch.stack(list(losses)).mean()
        moved = self.player.move(step, role="discriminator", spoiled=~loss.isfinite())
        return {"loss/discriminator": loss, **moved}
