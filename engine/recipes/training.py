"""One update of a codec: one gradient through it, one codebook update, whatever memory there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.losses.adversarial import group_means
from codecctl.engine.memory import irreversible
from codecctl.engine.quantizers.gaussian import moments
from codecctl.engine.recipes.adversary import Adversary, Exhibit, Verdict
from codecctl.engine.recipes.base import Runtime, Scalars, ranks_of
from codecctl.engine.recipes.draws import Draws
from codecctl.engine.recipes.latent_figures import latent_scalars, mean_norm
from codecctl.engine.recipes.latent_terms import LatentTerms
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork, Coded
from codecctl.engine.recipes.objective import Objective, Pull
from codecctl.engine.recipes.player import Player, rates
from codecctl.engine.recipes.portions import (
    Judged,
    PassedBack,
    Portion,
    joined,
    mean,
    smaller,
    split,
)
from codecctl.engine.recipes.scalars import loss_scalars, of_all_ranks, weighted_sum
from codecctl.engine.recipes.stacking import Stacking
from codecctl.engine.seeds import generator_at
from codecctl.engine.undo import kept_where


class Training:
    """Updates of a codec and its discriminators.

    Every term is a mean over the items of the global batch, then a sum over capsules. A batch that
    is trained in portions gives the same update as one that is not: sizes of gradients, levels of
    feature maps and codes are of the whole. It takes two passes, for the balance of the terms
    has to be known before the first gradient goes into the codec. The first codes every portion
    without a graph and keeps the gradients at what the decoder emits, as large as the audio or its
    spectrogram; the second codes again and goes backward. So an update costs one forward of the
    codec and, for the levels, one of the discriminators on the references more, and holds the
    activations of one portion.

    Args:
        generator: The codec network with its optimizer.
        adversary: Discriminators with theirs, if any.
        objective: Terms at the decoder's output.
        weights: Of every term: those of the objective and `commitment`.
        stacking: How capsules enter the codec.
        seed: With the step it decides all that is random.
        runtime: Runs it.
        dropout: Train each signal with a random number of codebooks, all counts as likely.
        noise: Give the bottleneck standard normal numbers to draw latents with.
        items_at_once: Largest portion; 0: the whole batch.
    """

    def __init__(
        self,
        generator: Player,
        adversary: Adversary | None,
        *,
        objective: Objective,
        weights: Mapping[str, float],
        stacking: Stacking,
        seed: int,
        runtime: Runtime,
        dropout: bool = False,
        noise: bool = False,
        items_at_once: int = 0,
    ) -> None:
        self._network = cast(CodecNetwork, generator.network)
        self._generator = generator
        self._adversary = adversary
        self._objective = objective
        self._weights = dict(weights)
        self._stacking = stacking
        self._seed = seed
        self._runtime = runtime
        self._draws = Draws(self._network, seed, runtime=runtime, dropout=dropout, noise=noise)
        self._items_at_once = items_at_once

    @property
    def items_at_once(self) -> int:
        """Largest portion, as asked for; 0: the whole batch."""
        return self._items_at_once

    @property
    def blocked(self) -> Tensor:
        """Whether the last update of the codec was left out, as it was not finite; 0-d bool."""
        return self._generator.blocked

    def step(self, audio: Tensor, step: int, *, extra: LatentTerms) -> Scalars:
        """Update codec, discriminators and codebooks.

        Everything that takes much memory comes before anything that cannot be done again, but
        for discriminators that learn first, which remember it.

        Args:
            audio: (B, M, T).
            step: Updates done so far.
            extra: Further terms on the stages.

        Raises:
            TornUpdateError: Memory ran out while weights moved.
        """
        groups = self._stacking.num_groups(audio)
        portions = self._portions(audio, step)
        judged = self._judge(portions, num_groups=groups, step=step)
        passed = self._pass_back(portions, judged.pull, num_groups=groups, extra=extra)
        with irreversible("the optimizers"):
            return self._move(judged, passed, step, weights={**self._weights, **extra.weights})

    def shrink(self, batch_size: int) -> int:
        """Take back a step that did not come to its end, and go on with smaller portions.

        Args:
            batch_size: Items of the step.

        Returns:
            Items of a portion from now on; 0: they cannot be smaller, and nothing has changed.
        """
        size = smaller(self._items_at_once or batch_size)
        if size:
            self._items_at_once = size
            self._network.quantizer.forget()
            self._generator.forget()
            if self._adversary is not None:
                self._adversary.forget()
            if self._objective.balancer is not None:
                self._objective.balancer.undo()
        return size

    def code(self, reference: Tensor, draws: Tensor | None = None) -> Coded:
        """Code and decode signals (N, C, T), with what was drawn for each (N, ...)."""
        with self._runtime.autocast():
            coded: Coded = self._generator.wrapped(reference, draws)
        return coded

    def _portions(self, audio: Tensor, step: int) -> list[Portion]:
        """The batch in equal parts, coded once; with the graph if there is but one."""
        size = self._items_at_once or len(audio)
        assert len(audio) % size == 0 or len(audio) < size, (audio.shape, size)
        parts = torch.split(audio, size)
        signals = self._stacking.stack(audio)
        draws = self._draws(signals, step)
        orders: Tensor | None = None
        if self._adversary is not None:
            orders = self._adversary.orders(*signals.shape[:2], step=step)
        drawn = zip(parts, split(draws, len(parts)), split(orders, len(parts)), strict=True)
        portions: list[Portion] = []
        for part, of_part, order in drawn:
            reference = self._stacking.stack(part)
            if len(parts) == 1:
                coded = self.code(reference, of_part)
            else:
                # In evaluation mode: the quantizer notes what it codes in the second pass only.
                with evaluating([self._network]):
                    coded = self.code(reference, of_part)
            emitted = coded.emitted.detach().requires_grad_()
            exhibit = Exhibit(self._network.render(emitted, reference), reference, order)
            kept = coded if len(parts) == 1 else None
            target = coded.target.detach()
            portions.append(Portion(part, of_part, emitted, target, exhibit, kept))
        return portions

    def _judge(self, portions: Sequence[Portion], *, num_groups: int, step: int) -> Judged:
        """Terms and gradients at the decoder's output; what the discriminators learn from it."""
        exhibits = [portion.exhibit for portion in portions]
        first: Scalars = {}
        levels: Tensor | None = None
        if self._adversary is not None:
            first = self._adversary.learn_first(exhibits, num_groups=num_groups, step=step)
            levels = self._adversary.levels(exhibits, num_groups=num_groups, step=step)
        terms: list[dict[str, Tensor]] = []
        gradients: list[dict[str, Tensor]] = []
        heard: list[Tensor] = []
        # Of an item of the global batch, over which the ranks together take the mean.
        share = self._runtime.world_size * len(portions)
        for portion in portions:
            adversary = self._adversary
            verdict = None if adversary is None else adversary.open(portion.exhibit, step=step)
            parts = self._wave_terms(portion, verdict, num_groups=num_groups, levels=levels)
            gradients.append(
                self._objective.gradients(
                    {name: values.sum() / share for name, values in parts.items()},
                    portion.emitted,
                    keep_graph=verdict is not None and verdict.learning,
                    scale=self._generator.scale,
                )
            )
            terms.append({name: values.detach() for name, values in parts.items()})
            if self._adversary is not None and verdict is not None:
                told = self._adversary.hear(verdict, num_groups=num_groups, parts=len(portions))
                heard.append(told)
        return Judged(
            terms=mean(terms),
            pull=self._objective.combine(joined(gradients)),
            heard=heard,
            scalars=first,
        )

    def _pass_back(
        self, portions: Sequence[Portion], pull: Pull, *, num_groups: int, extra: LatentTerms
    ) -> PassedBack:
        """The gradient at the decoder's output and those of all other terms, into the codec."""
        gradients = torch.split(pull.gradient, [len(each.emitted) for each in portions])
        passed = PassedBack([], [], [], [], [])
        for portion, gradient in zip(portions, gradients, strict=True):
            coded = portion.coded or self.code(portion.exhibit.reference, portion.draws)
            losses = extra.losses(self._stacking.stages_by_item(coded.stages, portion.audio))
            passed.between.append({name: values.mean() for name, values in losses.items()})
            loss = self._held(coded, num_groups=num_groups)
            if losses:
                loss = loss + weighted_sum(passed.between[-1], extra.weights)
            # Ranks average what they pass back, but the gradients of all items add up.
            pulled = (coded.emitted * gradient).sum() * self._runtime.world_size
            whole = pulled + loss / len(portions)
            if whole.requires_grad:  # not where all of the codec is frozen, or codebooks alone move
                self._generator.backward(whole)
            passed.held.append(self._by_capsule(coded.quantizer_terms(self._weights), num_groups))
            passed.codes.append(coded.codes)
            passed.norms.append(mean_norm(coded.latent))
            if self._draws.noise:
                passed.moments.append(moments(coded.latent))
        return passed

    def _move(
        self, judged: Judged, passed: PassedBack, step: int, *, weights: Mapping[str, float]
    ) -> Scalars:
        """Weights and codebooks, where all is finite; each side for itself."""
        terms = judged.terms | mean(passed.held)
        losses = loss_scalars(terms, mean(passed.between), weights=weights)
        spoiled = ~losses["loss/total"].isfinite()
        scalars = self._generator.move(step, role="generator", spoiled=spoiled)
        quantizer = self._network.quantizer
        with kept_where(self.blocked, cast(nn.Module, quantizer).buffers()):
            revival = generator_at(self._seed, step=step, purpose="revival")
            quantizer.update(revival, ranks=ranks_of(self._runtime))
        if self._objective.balancer is not None:
            self._objective.balancer.settle(self.blocked)
        skipped = self._generator.skipped
        if self._adversary is not None:
            scalars |= self._adversary.close(judged.heard, step=step) | judged.scalars
            skipped = skipped + self._adversary.player.skipped
        scalars |= (
            judged.pull.scalars
            | losses
            | latent_scalars(passed.norms, passed.moments, self._runtime)
        )
        scalars["skipped_updates"] = skipped
        codes = torch.cat(passed.codes)
        return of_all_ranks(scalars, codes, quantizer, self._runtime) | self._rates(step)

    def _wave_terms(
        self,
        portion: Portion,
        verdict: Verdict | None,
        *,
        num_groups: int,
        levels: Tensor | None,
    ) -> dict[str, Tensor]:
        """Terms at the decoder's output of each capsule, (M,)."""
        exhibit = portion.exhibit
        measured = self._objective.terms(
            exhibit.estimate, exhibit.reference, emitted=portion.emitted, target=portion.target
        )
        terms = {name: group_means(values, num_groups) for name, values in measured.items()}
        if self._adversary is not None and verdict is not None:
            judged = self._adversary.terms(verdict, num_groups=num_groups, levels=levels)
            terms |= {name: term for name, term in judged.items() if name in self._weights}
        return terms

    def _held(self, coded: Coded, *, num_groups: int) -> Tensor:
        """What the quantizer holds the encoder to, 0-d."""
        return num_groups * weighted_sum(coded.quantizer_terms(self._weights), self._weights).mean()

    def _by_capsule(self, terms: Mapping[str, Tensor], num_groups: int) -> dict[str, Tensor]:
        """Means over items, detached: (N,) to (M,)."""
        return {name: group_means(values.detach(), num_groups) for name, values in terms.items()}

    def _rates(self, step: int) -> Scalars:
        players = {"generator": self._generator}
        if self._adversary is not None:
            players["discriminator"] = self._adversary.player
        return rates(players, step, self._runtime.device)
