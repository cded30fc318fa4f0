"""Training of a codec with reconstruction, adversarial and quantizer terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.memory import irreversible
from codecctl.engine.quantizers import count_codes
from codecctl.engine.recipes.adversary import Adversary
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.base import Evaluation, Runtime, Scalars, State
from codecctl.engine.recipes.latent_terms import LatentTerms, NoLatentTerms
from codecctl.engine.recipes.measuring import Measured, Measuring, evaluating
from codecctl.engine.recipes.network import CodecNetwork, Coded
from codecctl.engine.recipes.objective import Objective
from codecctl.engine.recipes.player import Player
from codecctl.engine.recipes.scalars import codebook_scalars, on_device
from codecctl.engine.recipes.stacking import Stacking
from codecctl.engine.recipes.training import Training
from codecctl.engine.seeds import generator_at


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
        noise: Draw latents from the encoder's distribution in training.
        items_at_once: Largest part of a batch that goes through the networks together; 0: all.
        average: Of the codec's weights; validation and previews use it.
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
        noise: bool = False,
        items_at_once: int = 0,
        average: WeightAverage[CodecNetwork] | None = None,
    ) -> None:
        self.network = cast(CodecNetwork, generator.network)
        self.stacking = stacking
        self._generator = generator
        self._adversary = adversary
        self._objective = objective
        self._average = average
        self._measuring = measuring
        self._seed = seed
        self._runtime = runtime
        self._every_depth = dropout
        self._training = Training(
            generator,
            adversary,
            objective=objective,
            weights=weights,
            stacking=stacking,
            seed=seed,
            runtime=runtime,
            dropout=dropout,
            noise=noise,
            items_at_once=items_at_once,
        )

    def modules(self) -> Mapping[str, nn.Module]:
        """The codec and its discriminators."""
        networks: dict[str, nn.Module] = {"generator": self.network}
        if self._adversary is not None:
            networks["discriminator"] = self._adversary.player.network
        if self._average is not None:
            networks["average"] = self._average.network
        return networks

    @property
    def evaluated(self) -> CodecNetwork:
        """The network that is validated and heard: the averaged one, if there is one."""
        return self.network if self._average is None else self._average.network

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
        if self._average is not None:
            self._average.restart()

    def train_step(
        self,
        audio: Tensor,
        step: int,
        channels: Tensor | None = None,
        *,
        latent_terms: LatentTerms | None = None,
    ) -> Scalars:
        """Update codec, discriminators and codebooks.

        Args:
            audio: (B, M, T).
            step: Updates done so far.
            channels: Not needed here.
            latent_terms: Further terms on the stages.
        """
        del channels
        scalars = self._training.step(audio, step, extra=latent_terms or NoLatentTerms())
        if self._average is not None:
            with irreversible("the weight average"):
                self._average.follow(self.blocked)
        return scalars

    def shrink(self, batch_size: int) -> int:
        """Take back a step that memory did not suffice for; see `Recipe.shrink`."""
        return self._training.shrink(batch_size)

    @property
    def items_at_once(self) -> int:
        """Items that go through the networks together; 0: the whole batch."""
        return self._training.items_at_once

    @property
    def blocked(self) -> Tensor:
        """Whether the last update of the codec was left out, 0-d bool."""
        return self._training.blocked

    def stages_by_item(self, coded: Coded, audio: Tensor) -> Tensor:
        """Vectors of the quantizer's stages as (K, B, M, D, F)."""
        return self.stacking.stages_by_item(coded.stages, audio)

    def measure(self, audio: Tensor) -> Measured:
        """Code a batch (B, M, T) in evaluation mode and measure every item."""
        reference = self.stacking.stack(audio)
        with evaluating(self.modules().values()):
            return self._measuring.measure(
                self._code(reference),
                reference,
                num_groups=self.stacking.num_groups(audio),
            )

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Measure a batch (B, M, T); its channels are not needed here."""
        del channels
        measured = self.measure(audio)
        return self.evaluation_of(measured, audio, metrics={"total": measured.total})

    def _by_depth(self, measured: Measured, audio: Tensor) -> dict[str, Tensor]:
        """What is heard with each number of codebooks, if a training made them all work; (B,)."""
        network = self.evaluated
        if not self._every_depth or network.quantizer.max_depth < 2:
            return {}
        reference = self.stacking.stack(audio)
        with evaluating(self.modules().values()), self._runtime.autocast():
            estimates = [
                network.at_depth(measured.coded.codes, depth, reference).float()
                for depth in range(1, network.quantizer.max_depth + 1)
            ]
        found = self._measuring.by_depth(estimates, reference)
        groups = self.stacking.num_groups(audio)
        return {name: values.reshape(-1, groups).mean(-1) for name, values in found.items()}

    def evaluation_of(
        self, measured: Measured, audio: Tensor, *, metrics: Mapping[str, Tensor]
    ) -> Evaluation:
        """A measured batch with further metrics, (B,) each, in the shape of its audio."""
        return Evaluation(
            metrics={**measured.metrics, **metrics, **self._by_depth(measured, audio)},
            codes=self.stacking.by_item(measured.coded.codes, audio),
        )

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over items; usage and perplexity of each codebook over all of them."""
        scalars: Scalars = {
            f"val/{name}": torch.cat([each.metrics[name] for each in evaluations]).mean()
            for name in evaluations[0].metrics
        }
        codes = [each.codes.flatten(0, 1) for each in evaluations]
        counts = count_codes(torch.cat(codes), codebook_size=self.network.quantizer.codebook_size)
        used = codebook_scalars(counts)
        scalars |= {f"val/{name}": value for name, value in used.items()}
        if self.network.quantizer.num_codebooks:
            bitrate = self.network.bitrate_kbps
            scalars["val/bitrate_kbps"] = on_device(bitrate, self._runtime.device)
        return scalars

    def observe(self, value: float) -> None:
        """Take up what a validation measured."""
        self._generator.observe(value)
        if self._adversary is not None:
            self._adversary.player.observe(value)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        with evaluating(self.modules().values()), self._runtime.autocast():
            return self.evaluated.reconstruct(self.stacking.stack(audio)).reshape(audio.shape)

    def state_dict(self) -> State:
        """Networks, optimizers and balancer; learning rates and draws follow from the step."""
        state: State = {"generator": self._generator.state_dict()}
        if self._adversary is not None:
            state["discriminator"] = self._adversary.player.state_dict()
        if self._objective.balancer is not None:
            state["balancer"] = self._objective.balancer.state_dict()
        if self._average is not None:
            state["average"] = self._average.state_dict()
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

        if self._average is not None:
            self._average.load_state_dict(cast(State, state["average"]))

    def notes(self) -> tuple[str, ...]:
        """How to read the scalars."""
        lines = [
            "loss/<term> is the mean over items, summed over capsules; loss/total and val/total "
            "weigh the terms as the profile does, before balancing.",
            "balancer/<term> is its share of the gradient at the decoder's output; "
            "balancer/<term>/before is the share that its size alone would give it.",
            self.network.size_note(),
        ]
        parts = (self._adversary, self._average)
        return (*lines, *(note for part in parts if part is not None for note in part.notes()))

    def _code(self, reference: Tensor) -> Coded:
        """Code and decode signals (N, C, T) as validation does."""
        if self._average is None:
            return self._training.code(reference)
        with self._runtime.autocast():
            coded: Coded = self._average.network(reference)
        return coded
