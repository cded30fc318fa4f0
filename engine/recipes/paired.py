"""A codec whose first codebook learns what capsules share and whose second what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.memory import irreversible
from codecctl.engine.metrics import (
    agreement_by_chance,
    code_agreement,
    first_code_information,
)
from codecctl.engine.recipes.base import Evaluation, Runtime, Scalars, State, mean_over_ranks
from codecctl.engine.recipes.capsule_classifier import TERM, CapsuleClassifier
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.pairwise_terms import PairwiseTerms, TermsOfBatch
from codecctl.engine.recipes.scalars import on_device, weighted_sum
from codecctl.engine.recipes.shares import GradientShares
from codecctl.engine.recipes.token_swap import TokenSwap


class PairedRecipe:
    """A codec recipe with terms between the capsules of an item.

    All capsules go through the codec as one batch; the terms read the stages of that same pass.

    Args:
        codec: Codes every capsule as a signal of its own.
        pairwise: Terms between them.
        runtime: Runs it.
        classifier: Tells capsules by their vectors, which trains the codec, too; None: it is off.
    """

    def __init__(
        self,
        codec: CodecRecipe,
        *,
        pairwise: PairwiseTerms,
        runtime: Runtime,
        classifier: CapsuleClassifier | None = None,
    ) -> None:
        self._codec = codec
        self._pairwise = pairwise
        self._classifier = classifier
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
        """The codec, its discriminators and the classifier of capsules."""
        modules = self._codec.modules()
        if self._classifier is None:
            return modules
        return {**modules, "classifier": self._classifier.player.network}

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit the codebooks to latent frames of the first batches."""
        self._codec.initialize(batches)

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        """Update codec, discriminators, codebooks and classifier.

        Args:
            audio: (B, M, T), M >= 2.
            step: Updates done so far.
            channels: Which capsules they are (B, M) int64; a classifier needs them.
        """
        terms = TermsOfBatch(
            self._pairwise,
            audio,
            channels=channels,
            hop_length=self._codec.network.autoencoder.hop_length,
            shares=self._shares,
            classifier=self._classifier,
        )
        scalars = self._codec.train_step(audio, step, latent_terms=terms)
        with irreversible("what learns from terms between capsules"):
            if self._shares is not None:
                scalars |= self._shares.update(self._codec.blocked)
            if self._classifier is not None:
                scalars |= self._classifier.move(step, blocked=self._codec.blocked)
        return scalars

    def shrink(self, batch_size: int) -> int:
        """Take back a step that memory did not suffice for; see `Recipe.shrink`."""
        if self._shares is not None:
            self._shares.forget()
        if self._classifier is not None:
            self._classifier.forget()
        return self._codec.shrink(batch_size)

    @property
    def items_at_once(self) -> int:
        """Items that go through the networks together; 0: the whole batch."""
        return self._codec.items_at_once

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Measure a batch (B, M, T), M >= 2, of channels (B, M)."""
        measured = self._codec.measure(audio)
        stages = self._codec.stages_by_item(measured.coded, audio)
        between = self._pairwise.measures(stages)
        trained = {name: between[name] for name in self._pairwise.weights}
        total = measured.total
        if trained:
            total = total + weighted_sum(trained, self._pairwise.weights)
        told: dict[str, Tensor] = {}
        if self._classifier is not None:
            assert channels is not None, "a classifier needs the channels of the items"
            told = self._classifier.measure(stages, channels)
            total = total + self._classifier.weight * told[TERM]
        codes = self._codec.stacking.by_item(measured.coded.codes, audio)  # (B, M, K, F)
        metrics = {**between, **told, "code_agreement": code_agreement(codes), "total": total}
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
        if self._classifier is not None:
            scalars |= {f"val/{name}": v for name, v in self._classifier.chance().items()}
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

    def observe(self, value: float) -> None:
        """Take up what a validation measured."""
        self._codec.observe(value)
        if self._classifier is not None:
            self._classifier.player.observe(value)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        return self._codec.reconstruct(audio)

    def state_dict(self) -> State:
        """Everything that training has changed."""
        state = self._codec.state_dict()
        if self._shares is not None:
            state["shares"] = self._shares.state_dict()
        if self._classifier is not None:
            state["classifier"] = self._classifier.player.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._codec.load_state_dict(state)
        if self._shares is not None:
            self._shares.load_state_dict(
                cast("Mapping[str, Mapping[str, Tensor]]", state["shares"])
            )
        if self._classifier is not None:
            self._classifier.player.load_state_dict(cast(State, state["classifier"]))

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
            *(() if self._classifier is None else self._classifier.notes()),
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
