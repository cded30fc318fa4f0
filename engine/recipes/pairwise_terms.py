"""Terms between the capsules of an item, and those of one update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from codecctl.engine.losses.frames import weights_of_frames
from codecctl.engine.losses.pairwise import Diversity, similarity
from codecctl.engine.recipes.capsule_classifier import TERM, CapsuleClassifier
from codecctl.engine.recipes.shares import GradientShares
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


class TermsOfBatch:
    """The terms of one update, which sees its batch in parts.

    Args:
        terms: What is asked for.
        audio: The whole batch (B, M, T); parts come in its order.
        hop_length: Samples of a latent frame.
        channels: Which capsule each row of the audio is (B, M); None where nobody asks.
        shares: Scales the gradients, where weights follow them.
        classifier: Learns to tell capsules, and what it cannot tell is a term; None: it is off.
    """

    def __init__(
        self,
        terms: PairwiseTerms,
        audio: Tensor,
        *,
        channels: Tensor | None,
        hop_length: int,
        shares: GradientShares | None,
        classifier: CapsuleClassifier | None,
    ) -> None:
        self._terms = terms
        self._audio = audio
        self._channels = channels
        self._hop_length = hop_length
        self._shares = shares
        self._classifier = classifier
        self._seen = 0

    @property
    def weights(self) -> Mapping[str, float]:
        """By term."""
        if self._classifier is None:
            return self._terms.weights
        return {**self._terms.weights, TERM: self._classifier.weight}

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """The terms that have a weight, (B,) each, of the next items' stages (K, B, M, D, F)."""
        first, self._seen = self._seen, self._seen + stages.shape[1]
        audio = self._audio[first : self._seen]
        assert len(audio) == stages.shape[1], (first, stages.shape, self._audio.shape)
        losses = self._between(stages, audio)
        if self._classifier is not None:
            assert self._channels is not None, "a classifier needs the channels of the items"
            channels = self._channels[first : self._seen]
            share = len(audio) / len(self._audio)
            losses[TERM] = self._classifier.learn(stages, channels, share=share)
        return losses

    def _between(self, stages: Tensor, audio: Tensor) -> dict[str, Tensor]:
        if self._shares is not None:
            # A view, so that only the gradient of these terms passes through it.
            stages = stages.view_as(stages)
            self._shares.watch(stages)
        frames = {
            name: weights_of_frames(kind, audio, hop_length=self._hop_length)
            for name, kind in self._terms.frames.items()
        }
        measured = self._terms.measures(stages, frames)
        weights = self._terms.weights
        trained = {name: value for name, value in measured.items() if name in weights}
        if self._shares is None:
            return trained
        return {name: self._shares.scaled(name, value) for name, value in trained.items()}
