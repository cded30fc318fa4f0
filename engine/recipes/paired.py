"""A codec whose first codebook learns what capsules share and whose second what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.losses.frames import weights_of_frames
from codecctl.engine.losses.pairwise import Diversity, similarity
from codecctl.engine.memory import irreversible
from codecctl.engine.metrics import (
    agreement_by_chance,
    code_agreement,
    first_code_information,
)
from codecctl.engine.recipes.base import Evaluation, Runtime, Scalars, State, mean_over_ranks
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.scalars import on_device, weighted_sum
from codecctl.engine.recipes.shares import GradientShares
from codecctl.engine.recipes.token_swap import TokenSwap
from codecctl.errors import ProfileError


@dataclass(frozen=True)
class PairwiseTerms:
    """Similarity of one quantizer stage between capsules and diversity of another."""

    similarity_stage: int
    """Counted from 0."""
    diversity_stage: int
    """Counted from 0."""
    diversity: Diversity
    margin: float
    """Of the bounded diversity."""
    weights: Mapping[str, float]
    """Of `similarity` and `diversity`; a term without a weight is measured, but not trained."""
    frames: Mapping[str, str] = field(default_factory=dict)
    """What decides how much a frame counts in the training of a term; `all` where none is named."""
    shares: Mapping[str, float] = field(default_factory=dict)
    """Terms whose weight follows the size of their gradient, and the share that they get."""
    decay: float = 0.0
    """Of the averages of these sizes."""

    def __post_init__(self) -> None:
        if len(self.shares) == 2 and self.similarity_stage == self.diversity_stage:
            raise ProfileError(
                "trainer.loss_config.pairwise: found weighting 'gradient_share' for both terms of "
                f"stage {self.similarity_stage}, needed two stages or 'fixed' for one of them"
            )

    @property
    def stages(self) -> dict[str, int]:
        """The stage of each term."""
        return {"similarity": self.similarity_stage, "diversity": self.diversity_stage}

    def measures(
        self, stages: Tensor, frames: Mapping[str, Tensor | None] | None = None
    ) -> dict[str, Tensor]:
        """Terms whose stage exists, (B,) each, from the stages (K, B, M, D, F).

        Args:
            stages: Vectors of the quantizer's stages.
            frames: Weights (B, pairs, F) of the frames of a term; where none, all count alike.
        """
        weights = frames or {}
        terms: dict[str, Tensor] = {}
        if self.similarity_stage < len(stages):
            vectors = stages[self.similarity_stage]
            terms["similarity"] = similarity(vectors, frames=weights.get("similarity"))
        if self.diversity_stage < len(stages):
            vectors = stages[self.diversity_stage]
            terms["diversity"] = self.diversity(
                vectors, margin=self.margin, frames=weights.get("diversity")
            )
        return terms


class _TermsOfBatch:
    """The terms of one update, which sees its batch in parts.

    Args:
        terms: What is asked for.
        audio: The whole batch (B, M, T); parts come in its order.
        hop_length: Samples of a latent frame.
        shares: Scales the gradients, where weights follow them.
    """

    def __init__(
        self,
        terms: PairwiseTerms,
        audio: Tensor,
        *,
        hop_length: int,
        shares: GradientShares | None,
    ) -> None:
        self._terms = terms
        self._audio = audio
        self._hop_length = hop_length
        self._shares = shares
        self._seen = 0

    @property
    def weights(self) -> Mapping[str, float]:
        """By term."""
        return self._terms.weights

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """The terms that have a weight, (B,) each, of the next items' stages (K, B, M, D, F)."""
        first, self._seen = self._seen, self._seen + stages.shape[1]
        audio = self._audio[first : self._seen]
        assert len(audio) == stages.shape[1], (first, stages.shape, self._audio.shape)
        if self._shares is not None:
            self._shares.watch(stages)
        frames = {
            name: weights_of_frames(kind, audio, hop_length=self._hop_length)
            for name, kind in self._terms.frames.items()
        }
        measured = self._terms.measures(stages, frames)
        trained = {name: value for name, value in measured.items() if name in self.weights}
        if self._shares is None:
            return trained
        return {name: self._shares.scaled(name, value) for name, value in trained.items()}


class PairedRecipe:
    """A codec recipe with terms between the capsules of an item.

    All capsules go through the codec as one batch; the terms read the stages of that same pass.

    Args:
        codec: Codes every capsule as a signal of its own.
        pairwise: Terms between them.
        runtime: Runs it.
    """

    def __init__(self, codec: CodecRecipe, *, pairwise: PairwiseTerms, runtime: Runtime) -> None:
        self._codec = codec
        self._pairwise = pairwise
        self._shares: GradientShares | None = None
        shares = {
            name: share for name, share in pairwise.shares.items() if name in pairwise.weights
        }
        if shares:
            self._shares = GradientShares(
                cast(nn.Module, codec.network.quantizer),
                shares=shares,
                stages=pairwise.stages,
                decay=pairwise.decay,
                device=runtime.device,
                over_ranks=lambda values: mean_over_ranks(values, runtime),
            )
        self._swap = TokenSwap(codec.evaluated)

    def modules(self) -> Mapping[str, nn.Module]:
        """The codec and its discriminators."""
        return self._codec.modules()

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit the codebooks to latent frames of the first batches."""
        self._codec.initialize(batches)

    def train_step(self, audio: Tensor, step: int) -> Scalars:
        """Update codec, discriminators and codebooks.

        Args:
            audio: (B, M, T), M >= 2.
            step: Updates done so far.
        """
        terms = _TermsOfBatch(
            self._pairwise,
            audio,
            hop_length=self._codec.network.autoencoder.hop_length,
            shares=self._shares,
        )
        scalars = self._codec.train_step(audio, step, latent_terms=terms)
        if self._shares is None:
            return scalars
        with irreversible("the weights of terms between capsules"):
            return scalars | self._shares.update(self._codec.blocked)

    def shrink(self, batch_size: int) -> int:
        """Take back a step that memory did not suffice for; see `Recipe.shrink`."""
        if self._shares is not None:
            self._shares.forget()
        return self._codec.shrink(batch_size)

    @property
    def items_at_once(self) -> int:
        """Items that go through the networks together; 0: the whole batch."""
        return self._codec.items_at_once

    def evaluate(self, audio: Tensor) -> Evaluation:
        """Measure a batch (B, M, T), M >= 2."""
        measured = self._codec.measure(audio)
        stages = self._codec.stages_by_item(measured.coded, audio)
        between = self._pairwise.measures(stages)
        trained = {name: between[name] for name in self._pairwise.weights}
        total = measured.total
        if trained:
            total = total + weighted_sum(trained, self._pairwise.weights)
        codes = self._codec.stacking.by_item(measured.coded.codes, audio)  # (B, M, K, F)
        metrics = {**between, "code_agreement": code_agreement(codes), "total": total}
        if self._swap.possible:
            estimate = measured.coded.estimate.reshape(audio.shape)
            metrics |= {
                "second_code_difference": 1 - code_agreement(codes, stage=1),
                **self._swap.measure(codes, estimate, audio),
            }
        return self._codec.evaluation_of(measured, audio, metrics=metrics)

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over items; what codes show of each other only over all of them."""
        scalars = self._codec.aggregate(evaluations)
        size = self._codec.network.quantizer.codebook_size
        codes = torch.cat([each.codes for each in evaluations])
        if codes.shape[2]:
            found = first_code_information(codes, codebook_size=size)
            shared = on_device(found.bits - found.shuffled, codes.device)
            chance = agreement_by_chance(codes, codebook_size=size)
            above = (scalars["val/code_agreement"] - chance) / (1 - chance).clamp(min=1e-9)
            scalars |= {
                "val/code_agreement/above_chance": above.float(),
                "val/first_code_bits": shared,
            }
        return scalars

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        return self._codec.reconstruct(audio)

    def state_dict(self) -> State:
        """Everything that training has changed."""
        state = self._codec.state_dict()
        return state if self._shares is None else {**state, "shares": self._shares.state_dict()}

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._codec.load_state_dict(state)
        if self._shares is not None:
            self._shares.load_state_dict(
                cast("Mapping[str, Mapping[str, Tensor]]", state["shares"])
            )

    def notes(self) -> tuple[str, ...]:
        """How to read the scalars."""
        return (
            *self._codec.notes(),
            "similarity is the mean squared difference between the vectors that the "
            f"{_ordinal(self._pairwise.similarity_stage)} codebook gives two capsules: never "
            "negative, 0 when they are the same; training lowers it.",
            "diversity is minus the mean squared difference of the "
            f"{_ordinal(self._pairwise.diversity_stage)} codebook's vectors: never positive. "
            "Training lowers it, so more negative means further apart. The paired document "
            "expects it to become less negative: that happens where residuals shrink, and is "
            "not what the loss asks for.",
            "loss/similarity and loss/diversity are logged without their weights.",
            *self._notes_on_weights(),
            "val/code_agreement/above_chance is 1 where first codes always agree and 0 where they "
            "agree as often as equally frequent codes do by chance; a collapsed codebook agrees "
            "by chance. val/first_code_bits is what one first code tells of the other, less what "
            "shuffled codes seem to tell.",
            "val/swap/<metric> scores the other capsules of an item, each decoded with the first "
            "codes of the first capsule and its own second ones: near val/<metric> where the "
            "first codes hold what capsules share.",
        )

    def _notes_on_weights(self) -> Iterator[str]:
        for name, share in self._pairwise.shares.items():
            yield (
                f"factor/{name} multiplies the weight of {name}, so that its gradient at the "
                f"latent has {100 * share:g} % of the size of reconstruction's."
            )
        for name, kind in self._pairwise.frames.items():
            if kind != "all":
                yield f"loss/{name} weighs frames by {kind}; val/{name} counts all frames alike."


def _ordinal(stage: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(stage, f"{stage + 1}th")
