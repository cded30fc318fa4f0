"""What validation measures on each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codecctl.engine.metrics import WaveMetric, spatial_errors
from codecctl.engine.recipes.adversary import Adversary, Exhibit
from codecctl.engine.recipes.network import Coded
from codecctl.engine.recipes.objective import Objective
from codecctl.engine.recipes.scalars import by_capsule, weighted_sum

OF_DEPTHS = ("mel", "si_sdr")
"""Metrics of every number of codebooks, where a training made them all work."""


@dataclass(frozen=True)
class Measured:
    """A coded batch and what was measured on it."""

    coded: Coded
    metrics: dict[str, Tensor]
    """(B,) each."""
    total: Tensor
    """Weighted sum of the codec's terms, (B,)."""


@contextmanager
def evaluating(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Evaluation mode without gradients for a block; training mode after it."""
    networks = list(networks)
    for network in networks:
        network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for network in networks:
            network.train()


class Measuring:
    """Every term of the training and every metric, item by item.

    The terms of the discriminators are measured always, also before they take part, so that the
    total has one meaning. Feature matching is relative to the maps of the item itself: a batch
    then has no influence on its items.

    Args:
        metrics: Measures beside the terms; mean over the signals of an item.
        weights: Of every term.
        objective: Reconstruction terms.
        adversary: Judges the estimate, if there is one.
    """

    def __init__(
        self,
        metrics: Mapping[str, WaveMetric],
        weights: Mapping[str, float],
        *,
        objective: Objective,
        adversary: Adversary | None,
    ) -> None:
        self._metrics = dict(metrics)
        self._weights = dict(weights)
        self._objective = objective
        self._adversary = adversary

    def measure(self, coded: Coded, reference: Tensor, *, num_groups: int) -> Measured:
        """Measure signals (N, C, T) of which `num_groups` make an item."""
        metrics: dict[str, Tensor] = {}
        terms: dict[str, Tensor] = {}
        for name, values in self._terms(coded, reference).items():
            parts = values.reshape(-1, num_groups)  # (B, M)
            terms[name] = parts.sum(-1)
            # The metric of a name is comparable over profiles, the term of that name is not.
            label = f"{name}_loss" if name in self._metrics else name
            metrics |= by_capsule(label, terms[name], parts)
        for name, metric in self._metrics.items():
            parts = metric(coded.estimate, reference).reshape(-1, num_groups)
            metrics |= by_capsule(name, parts.mean(-1), parts)
        # What lies between the channels of an item, whether they were coded together or apart.
        ours, theirs = (
            audio.reshape(-1, num_groups * audio.shape[1], audio.shape[-1])
            for audio in (coded.estimate, reference)
        )
        if ours.shape[1] > 1:
            metrics |= spatial_errors(ours, theirs)
        return Measured(coded=coded, metrics=metrics, total=weighted_sum(terms, self._weights))

    def by_depth(self, estimates: Sequence[Tensor], reference: Tensor) -> dict[str, Tensor]:
        """What is heard with one codebook, with two and so on: `mel/q1`, `si_sdr/q1`, ..., (B,).

        Args:
            estimates: (N, C, T) each.
            reference: (B, M, T) as signals (N, C, T).
        """
        return {
            f"{name}/q{depth}": self._metrics[name](estimate, reference)
            for name in OF_DEPTHS
            for depth, estimate in enumerate(estimates, 1)
        }

    def _terms(self, coded: Coded, reference: Tensor) -> dict[str, Tensor]:
        terms = self._objective.terms(
            coded.estimate, reference, emitted=coded.emitted, target=coded.target
        )
        if self._adversary is not None:
            verdict = self._adversary.judge(Exhibit(coded.estimate, reference))
            judged = verdict.terms(reference.shape[0])
            terms |= {name: term for name, term in judged.items() if name in self._weights}
        return terms | coded.quantizer_terms(self._weights)
