"""Names that users type: which are the same, and which they may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def same_name(name: str) -> str:
    """A name without the differences that do not count: case, and `-` for `_`."""
    return name.lower().replace("-", "_")


def did_you_mean(word: str, candidates: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`; did you mean 'x'?` for the nearest of the candidates, or nothing."""
    folded = {same_name(candidate): candidate for candidate in candidates}
    near = get_close_matches(same_name(word), folded, n=1, cutoff=cutoff)
    return f"; did you mean '{folded[near[0]]}'?" if near else ""
