"""How what is typed into the palette finds names: words first, then letters in their order.

The time is that of a walk along the name. A search for the best of all ways to find the letters
takes minutes where names of hundred letters hold each letter many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_WHOLE, _START = 2.0, 0.25
"""What the typed text as one piece is worth, and a word that begins where one of the name does."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Match:
    """What was found in a name."""

    score: float
    """Above 1 for words, below for letters."""
    ranges: tuple[Range, ...]
    """Where: first place and the one behind the last, rising."""


def match_words(query: str, name: str) -> Match | None:
    """The typed words in a name, each in one piece and anywhere; None unless all are there.

    Args:
        query: In lower case.
        name: In lower case.
    """
    words = query.split()
    places = [name.find(word) for word in words]
    if not words or min(places) < 0:
        return None
    ranges = [(at, at + len(word)) for at, word in zip(places, words, strict=True)]
    starts = sum(at == 0 or not name[at - 1].isalnum() for at in places)
    score = 1 + sum(map(len, words)) / len(name) + _START * starts / len(words)
    whole = name.find(query)
    if whole >= 0:
        ranges, score = [(whole, whole + len(query))], score + _WHOLE
    return Match(score, _joined(ranges))


def match_letters(query: str, name: str) -> Match | None:
    """The typed letters in their order, each at its first place behind the one before it.

    Args:
        query: In lower case.
        name: In lower case.
    """
    places, at = [], -1
    for letter in "".join(query.split()):
        at = name.find(letter, at + 1)
        if at < 0:
            return None
        places.append(at)
    if not places:
        return None
    ranges = _joined([(place, place + 1) for place in places])
    spread = places[-1] + 1 - places[0]
    return Match(len(places) / (spread + len(ranges)), ranges)


def _joined(ranges: Sequence[Range]) -> tuple[Range, ...]:
    joined: list[Range] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((first, end))
    return tuple(joined)
