"""Lists of values on the command line of a sweep, and every combination of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

_OPENING, _CLOSING, _QUOTES = "[{(", "]})", "\"'"
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_LONGEST_LABEL = 80


@dataclass(frozen=True)
class Combination:
    """One value of every key of a sweep."""

    overrides: tuple[str, ...]
    """KEY=VALUE or GROUP=OPTION, one for each key of the sweep."""
    values: tuple[str, ...]
    """As written, in the order of the keys."""
    label: str
    """For the name of a run: `lr=1e-3,model=tiny` without what a folder must not hold."""


def split_values(text: str) -> list[str]:
    """The parts of a text between commas; those in brackets and quotes do not count."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if letter == "," and not depth and not quote:
            parts.append("")
            continue
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        else:
            depth += (letter in _OPENING) - (letter in _CLOSING)
        parts[-1] += letter
    return [part.strip() for part in parts]


def combinations(
    overrides: Sequence[str],
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Combination, ...]]:
    """What an argument list of a sweep means.

    Args:
        overrides: KEY=VALUE, GROUP=OPTION or ~KEY; the value may be a comma list.

    Returns:
        The overrides with one value, which all runs share; the keys with several; and every
        combination of these, the last key changing fastest.
    """
    shared: list[str] = []
    keys: list[str] = []
    choices: list[list[str]] = []
    for override in overrides:
        key, equals, text = override.removeprefix("+").partition("=")
        values = split_values(text) if equals else []
        if len(values) < 2:
            shared.append(override)
            continue
        keys.append(key.strip())
        choices.append(values)
    names = _short(keys)
    found = tuple(
        Combination(
            overrides=tuple(f"{key}={value}" for key, value in zip(keys, values, strict=True)),
            values=values,
            label=_label(names, values),
        )
        for values in product(*choices)
    )
    return tuple(shared), tuple(keys), found if keys else ()


def _short(keys: Sequence[str]) -> list[str]:
    """The last word of each key, or the whole key where another one ends in it as well."""
    last = [key.rpartition(".")[2] for key in keys]
    return [word if last.count(word) == 1 else key for word, key in zip(last, keys, strict=True)]


def _label(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = (f"{name}={_UNSAFE.sub('', value)}" for name, value in zip(names, values, strict=True))
    return "-".join(pairs)[:_LONGEST_LABEL]
