"""A codec whose first codebook learns what capsules share and whose second what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from codecctl.engine.losses.pairwise import Diversity, similarity
from codecctl.engine.metrics import code_agreement
from codecctl.engine.recipes.base import Evaluation, Scalars, State
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.scalars import weighted_sum
from codecctl.engine.recipes.token_swap import TokenSwap


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

    def measures(self, stages: Tensor) -> dict[str, Tensor]:
        """Terms whose stage exists, (B,) each, from the stages (K, B, M, D, F)."""
        terms: dict[str, Tensor] = {}
        if self.similarity_stage < len(stages):
            terms["similarity"] = similarity(stages[self.similarity_stage])
        if self.diversity_stage < len(stages):
            vectors = stages[self.diversity_stage]
            terms["diversity"] = self.diversity(vectors, margin=self.margin)
        return terms

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """The terms that have a weight."""
        measured = self.measures(stages)
        return {name: value for name, value in measured.items() if name in self.weights}


class PairedRecipe:
    """A codec recipe with terms between the capsules of an item.

    All capsules go through the codec as one batch; the terms read the stages of that same pass.

    Args:
        codec: Codes every capsule as a signal of its own.
        pairwise: Terms between them.
    """

    def __init__(self, codec: CodecRecipe, *, pairwise: PairwiseTerms) -> None:
        self._codec = codec
        self._pairwise = pairwise
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
        return self._codec.train_step(audio, step, latent_terms=self._pairwise)

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
        """Means over items; usage and perplexity of each codebook over all of them."""
        return self._codec.aggregate(evaluations)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        return self._codec.reconstruct(audio)

    def state_dict(self) -> State:
        """Everything that training has changed."""
        return self._codec.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._codec.load_state_dict(state)

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
            "val/swap/<metric> scores the other capsules of an item, each decoded with the first "
            "codes of the first capsule and its own second ones: near val/<metric> where the "
            "first codes hold what capsules share.",
        )


def _ordinal(stage: int) -> str:
    return {0: "first", 1: "second", 2: "third"}.get(stage, f"{stage + 1}th")
