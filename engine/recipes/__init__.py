"""Ways of training; imports torch."""

from __future__ import annotations

from collections.abc import Callable

from codecctl.engine.recipes.base import Recipe, Runtime
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.paired import PairedRecipe, PairwiseTerms


def _codec(codec: CodecRecipe, _pairwise: PairwiseTerms, _runtime: Runtime) -> Recipe:
    return codec


def _paired(codec: CodecRecipe, pairwise: PairwiseTerms, runtime: Runtime) -> Recipe:
    return PairedRecipe(codec, pairwise=pairwise, runtime=runtime)


RECIPES: dict[str, Callable[[CodecRecipe, PairwiseTerms, Runtime], Recipe]] = {
    "baseline": _codec,
    "mono": _codec,
    "paired": _paired,
}
"""Recipes by the mode that a profile names, made of a codec and terms between capsules."""
