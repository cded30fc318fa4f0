"""What the processes that train one run together have to agree on, beside gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Crew(Protocol):
    """The processes of a training; all of them call each method, in the same order.

    Nothing here waits for a GPU: what is exchanged lies in the memory of the host.
    """

    @property
    def rank(self) -> int:
        """Which of the processes this is; 0 leads: it alone writes the run folder."""
        ...

    @property
    def world_size(self) -> int:
        """How many there are."""
        ...

    def agree(self, value: int) -> int:
        """The largest value that a process passed."""
        ...

    def share(self, value: T) -> T:
        """What the leading process passed."""
        ...

    def gather(self, value: T) -> Sequence[T]:
        """What all processes passed, by rank; only the leading one gets them, others nothing."""
        ...

    def tell(self, error: BaseException, details: str) -> None:
        """Let the others know why this process ends; it alone may call."""
        ...


class Alone:
    """One process."""

    rank = 0
    world_size = 1

    def agree(self, value: int) -> int:
        """The value."""
        return value

    def share(self, value: T) -> T:
        """The value."""
        return value

    def gather(self, value: T) -> Sequence[T]:
        """The value."""
        return [value]

    def tell(self, error: BaseException, details: str) -> None:
        """There is nobody."""


ALONE = Alone()
