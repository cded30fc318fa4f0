"""Ways of training; imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from codecctl.engine.recipes.base import Recipe, Runtime
from codecctl.engine.recipes.capsule_classifier import CapsuleClassifier
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.paired import PairedRecipe
from codecctl.engine.recipes.pairwise_terms import PairwiseTerms

Build: TypeAlias = Callable[
    [CodecRecipe, PairwiseTerms, "CapsuleClassifier | None", Runtime], Recipe
]


def _codec(
    codec: CodecRecipe,
    _pairwise: PairwiseTerms,
    _classifier: CapsuleClassifier | None,
    _runtime: Runtime,
) -> Recipe:
    return codec


def _paired(
    codec: CodecRecipe,
    pairwise: PairwiseTerms,
    classifier: CapsuleClassifier | None,
    runtime: Runtime,
) -> Recipe:
    return PairedRecipe(codec, pairwise=pairwise, runtime=runtime, classifier=classifier)


RECIPES: dict[str, Build] = {
    "baseline": _codec,
    "mono": _codec,
    "paired": _paired,
    "soundstream": _codec,
    "spectral": _codec,
}
"""Recipes by the mode that a profile names, made of a codec and terms between capsules."""
