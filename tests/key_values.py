"""Other values for keys, to see what they change."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.shape import Shape

LEFT_TO_TORCH = (0.37, 3.5, 5, True, [0.3, 0.4], [0.3, 1.7], -0.5)
"""Values for an argument that a profile does not give."""


def other_values(here: object, shape: Shape | None) -> Iterator[object]:
    """Other values to try, of which some may not be allowed."""
    if shape is not None and shape.words:
        yield from (word for word in shape.words if word != here)
        if len(shape.words) == 1:
            yield "other"
    if here is None:
        yield from LEFT_TO_TORCH
    elif isinstance(here, bool):
        yield not here
    elif isinstance(here, int):
        yield from (here + 1, 2 * here, max(0, here - 1), here + 8)
    elif isinstance(here, float):
        yield from (here * 0.5, here * 2 + 0.1, here + 0.01, min(here, 1.0) * 0.3)
    elif isinstance(here, list):
        yield from _other_lists(here)
    elif isinstance(here, str) and (shape is None or not shape.words):
        yield from (f"{here}x", "other", "whole", "sounds", "00:01:00")


def _other_lists(here: list[object]) -> Iterator[object]:
    yield from (here[:-1], [*here, *here[-1:]], here[::-1])
    if all(isinstance(value, (int, float)) for value in here):
        yield [value * 2 for value in here]  # type: ignore[operator]
        yield [value * 0.5 for value in here]  # type: ignore[operator]
    if not here:
        yield from ([1], ["Cave"], ["time"], ["encoder"])
