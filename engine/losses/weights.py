"""Weights and terms that have to name each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from codecctl.errors import ProfileError


def match_weights(
    group: str, terms: Collection[str], weights: Mapping[str, float]
) -> dict[str, float]:
    """Weights of a group of terms, without those that are zero.

    Raises:
        ProfileError: A weight names no term, or a term has no weight.
    """
    key = f"trainer.loss_config.{group}"
    problems = [
        f"{key}.weights.{name}: names no term; found the terms {', '.join(sorted(terms))}"
        for name in sorted(set(weights) - set(terms))
    ]
    problems += [
        f"{key}.{name}: has no weight; set {key}.weights.{name}, 0 to leave the term out"
        for name in sorted(set(terms) - set(weights))
    ]
    if problems:
        raise ProfileError(problems)
    return {name: weight for name, weight in weights.items() if weight}
