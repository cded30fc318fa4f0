"""Long work in small steps, so that the loop which reads keys never waits for it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")

SLICE_SECONDS = 0.008
"""A turn of the loop works no longer than this and one step more."""
REST_SECONDS = 0.016
"""Then others have this long."""


def finished(steps: Generator[None, None, T]) -> T:
    """The result of all steps at once."""
    results: list[T] = []

    def collecting() -> Iterator[None]:
        results.append((yield from steps))

    for _ in collecting():
        pass
    return results[0]


def work_on(steps: Iterator[None]) -> bool:
    """Take steps for `SLICE_SECONDS`; whether there may be more."""
    end = time.perf_counter() + SLICE_SECONDS
    return any(time.perf_counter() >= end for _ in steps)
