"""Training of a codec with reconstruction, adversarial and quantizer terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from codecctl.engine.losses.adversarial import group_means
from codecctl.engine.quantizers import Ranks
from codecctl.engine.recipes.adversary import Adversary, Verdict
from codecctl.engine.recipes.base import Evaluation, Runtime, Scalars, State, mean_over_ranks
from codecctl.engine.recipes.measuring import Measured, Measuring, evaluating
from codecctl.engine.recipes.network import CodecNetwork, Coded
from codecctl.engine.recipes.objective import Objective
from codecctl.engine.recipes.player import Player
from codecctl.engine.recipes.scalars import codebook_scalars, loss_scalars, on_device, weighted_sum
from codecctl.engine.recipes.stacking import Stacking
from codecctl.engine.seeds import generator_at


class LatentTerms(Protocol):
    """Further terms on the vectors of the quantizer's stages."""

    @property
    def weights(self) -> Mapping[str, float]:
        """By term."""
        ...

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """Stages (K, B, M, D, F) to the loss of each item, (B,), by term."""
        ...


class NoLatentTerms:
    """Nothing but reconstruction and quantizer shapes the codec."""

    @property
    def weights(self) -> Mapping[str, float]:
        """None."""
        return {}

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """None."""
        del stages
        return {}


class CodecRecipe:
    """One forward of all capsules, one backward through the codec, one codebook update a step.

    Every term is a mean over items, then a sum over capsules.

    Args:
        generator: The codec network with its optimizer.
        adversary: Discriminators with theirs, if any.
        objective: Terms at the decoder's output.
        weights: Of every term: those of the objective and `commitment`.
        stacking: How capsules enter the codec.
        measuring: What validation measures.
        seed: With the step it decides all that is random.
        runtime: Runs it.
        dropout: Train each signal with a random number of codebooks, all counts as likely.
    """

    def __init__(
        self,
        generator: Player,
        adversary: Adversary | None,
        *,
        objective: Objective,
        weights: Mapping[str, float],
        stacking: Stacking,
        measuring: Measuring,
        seed: int,
        runtime: Runtime,
        dropout: bool = False,
    ) -> None:
        self.network = cast(CodecNetwork, generator.network)
        self.stacking = stacking
        self._generator = generator
        self._adversary = adversary
        self._objective = objective
        self._weights = dict(weights)
        self._measuring = measuring
        self._seed = seed
        self._runtime = runtime
        self._dropout = dropout

    def modules(self) -> Mapping[str, nn.Module]:
        """The codec and its discriminators."""
        networks: dict[str, nn.Module] = {"generator": self.network}
        if self._adversary is not None:
            networks["discriminator"] = self._adversary.player.network
        return networks

    @torch.no_grad()
    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit the codebooks to latent frames of the first batches."""
        quantizer = self.network.quantizer
        frames: list[Tensor] = []
        while sum(rows.shape[0] for rows in frames) < quantizer.frames_needed:
            with self._runtime.autocast():
                latent = self.network.encode(self.stacking.stack(next(batches)))  # (N, D, F)
            frames.append(latent.float().transpose(1, 2).flatten(0, 1))
        if frames:
            generator = generator_at(self._seed, step=0, purpose="codebooks")
            quantizer.initialize(torch.cat(frames), generator)

    def train_step(
        self, audio: Tensor, step: int, *, latent_terms: LatentTerms | None = None
    ) -> Scalars:
        """Update codec, discriminators and codebooks.

        Args:
            audio: (B, M, T).
            step: Updates done so far.
            latent_terms: Further terms on the stages.
        """
        extra = latent_terms or NoLatentTerms()
        groups = self.stacking.num_groups(audio)
        reference = self.stacking.stack(audio)
        coded = self._code(reference, self._depths(len(reference), step))
        # A leaf, so that every term's gradient stops here; one backward takes their sum further.
        estimate = coded.estimate.detach().requires_grad_()
        verdict, scalars = self._open(estimate, reference, num_groups=groups, step=step)
        terms = self._wave_terms(estimate, reference, verdict=verdict, num_groups=groups)
        pull = self._objective.pull(
            # Of an item of the global batch, over which the ranks together take the mean.
            {name: parts.sum() / self._runtime.world_size for name, parts in terms.items()},
            estimate,
            keep_graph=verdict is not None and verdict.learning,
        )
        latent_losses = extra.losses(self.stages_by_item(coded, audio))
        between = {name: values.mean() for name, values in latent_losses.items()}
        loss = self._surrogate(coded, pull.gradient, num_groups=groups)
        if between:
            loss = loss + weighted_sum(between, extra.weights)
        scalars["grad_norm/generator"] = self._generator.update(loss, step=step)
        scalars = self._close(verdict, num_groups=groups, step=step) | scalars
        revival = generator_at(self._seed, step=step, purpose="revival")
        self.network.quantizer.update(revival, ranks=self._ranks())
        held = coded.quantizer_terms(self._weights)
        terms |= {name: group_means(values.detach(), groups) for name, values in held.items()}
        weights = {**self._weights, **extra.weights}
        scalars |= pull.scalars | loss_scalars(terms, between, weights=weights)
        return scalars | self._rates(step) | self._codebooks(coded.codes)

    def stages_by_item(self, coded: Coded, audio: Tensor) -> Tensor:
        """Vectors of the quantizer's stages as (K, B, M, D, F)."""
        stages, items = coded.stages, audio.shape[0]
        return stages.reshape(len(stages), items, stages.shape[1] // items, *stages.shape[2:])

    def measure(self, audio: Tensor) -> Measured:
        """Code a batch (B, M, T) in evaluation mode and measure every item."""
        reference = self.stacking.stack(audio)
        with evaluating(self.modules().values()):
            return self._measuring.measure(
                self._code(reference), reference, num_groups=self.stacking.num_groups(audio)
            )

    def evaluate(self, audio: Tensor) -> Evaluation:
        """Measure a batch (B, M, T)."""
        measured = self.measure(audio)
        return self.evaluation_of(measured, audio, metrics={"total": measured.total})

    def evaluation_of(
        self, measured: Measured, audio: Tensor, *, metrics: Mapping[str, Tensor]
    ) -> Evaluation:
        """A measured batch with further metrics, (B,) each, in the shape of its audio."""
        return Evaluation(
            metrics={**measured.metrics, **metrics},
            codes=self.stacking.by_item(measured.coded.codes, audio),
        )

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over items; usage and perplexity of each codebook over all of them."""
        scalars: Scalars = {
            f"val/{name}": torch.cat([each.metrics[name] for each in evaluations]).mean()
            for name in evaluations[0].metrics
        }
        codes = [each.codes.flatten(0, 1) for each in evaluations]
        used = codebook_scalars(
            torch.cat(codes), codebook_size=self.network.quantizer.codebook_size
        )
        scalars |= {f"val/{name}": value for name, value in used.items()}
        if self.network.quantizer.num_codebooks:
            bitrate = self.network.bitrate_kbps
            scalars["val/bitrate_kbps"] = on_device(bitrate, self._runtime.device)
        return scalars

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        with evaluating(self.modules().values()):
            return self._code(self.stacking.stack(audio)).estimate.reshape(audio.shape)

    def state_dict(self) -> State:
        """Networks, optimizers and balancer; learning rates and draws follow from the step."""
        state: State = {"generator": self._generator.state_dict()}
        if self._adversary is not None:
            state["discriminator"] = self._adversary.player.state_dict()
        if self._objective.balancer is not None:
            state["balancer"] = self._objective.balancer.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._generator.load_state_dict(cast(State, state["generator"]))
        if self._adversary is not None:
            self._adversary.player.load_state_dict(cast(State, state["discriminator"]))
        if self._objective.balancer is not None:
            self._objective.balancer.load_state_dict(
                cast("Mapping[str, Mapping[str, Tensor]]", state["balancer"])
            )

    def notes(self) -> tuple[str, ...]:
        """How to read the scalars."""
        lines = [
            "loss/<term> is the mean over items, summed over capsules; loss/total and val/total "
            "weigh the terms as the profile does, before balancing.",
            "balancer/<term> is its share of the gradient at the decoder's output; "
            "balancer/<term>/before is the share that its size alone would give it.",
            self.network.size_note(),
        ]
        return (*lines, *(self._adversary.notes() if self._adversary is not None else ()))

    def _code(self, reference: Tensor, depths: Tensor | None = None) -> Coded:
        with self._runtime.autocast():
            coded: Coded = self._generator.wrapped(reference, depths)
        return coded

    def _depths(self, signals: int, step: int) -> Tensor | None:
        """Codebooks that code each signal (N,); drawn for all ranks, so that none matters."""
        if not self._dropout:
            return None
        generator = generator_at(self._seed, step=step, purpose="depths")
        shape = (self._runtime.world_size, signals)
        depths = torch.randint(1, self.network.quantizer.max_depth + 1, shape, generator=generator)
        return depths[self._runtime.rank].to(self._runtime.device, non_blocking=True)

    def _open(
        self, estimate: Tensor, reference: Tensor, *, num_groups: int, step: int
    ) -> tuple[Verdict | None, Scalars]:
        if self._adversary is None:
            return None, {}
        return self._adversary.open(estimate, reference, num_groups=num_groups, step=step)

    def _close(self, verdict: Verdict | None, *, num_groups: int, step: int) -> Scalars:
        if self._adversary is None or verdict is None:
            return {}
        return self._adversary.close(verdict, num_groups=num_groups, step=step)

    def _wave_terms(
        self, estimate: Tensor, reference: Tensor, *, verdict: Verdict | None, num_groups: int
    ) -> dict[str, Tensor]:
        """Terms at the decoder's output of each capsule, (M,)."""
        terms = {
            name: group_means(values, num_groups)
            for name, values in self._objective.reconstruction(estimate, reference).items()
        }
        if verdict is not None:
            judged = verdict.terms(
                num_groups, lambda levels: mean_over_ranks(levels, self._runtime)
            )
            terms |= {name: term for name, term in judged.items() if name in self._weights}
        return terms

    def _surrogate(self, coded: Coded, gradient: Tensor, *, num_groups: int) -> Tensor:
        """A number whose gradient is that of the balanced terms and of the quantizer's."""
        # Ranks average what they pass back, but the gradients of all items add up.
        pulled = (coded.estimate * gradient).sum() * self._runtime.world_size
        held = weighted_sum(coded.quantizer_terms(self._weights), self._weights)
        return pulled + num_groups * held.mean()

    def _rates(self, step: int) -> Scalars:
        players = {"generator": self._generator}
        if self._adversary is not None:
            players["discriminator"] = self._adversary.player
        device = self._runtime.device
        return {
            f"lr/{name}": on_device(player.rate_at(step), device)
            for name, player in players.items()
        }

    def _codebooks(self, codes: Tensor) -> Scalars:
        quantizer = self.network.quantizer
        scalars = codebook_scalars(codes, codebook_size=quantizer.codebook_size)
        for number, revived in enumerate(quantizer.revived, start=1):
            scalars[f"codebook/{number}/dead"] = revived.float()
        return scalars

    def _ranks(self) -> Ranks:
        runtime = self._runtime
        return Ranks(
            rank=runtime.rank, world_size=runtime.world_size, all_reduce_=runtime.all_reduce_
        )
