"""Nested tables of a run, such as its profile, as dotted keys with values as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

_LONGEST = 200


def flatten(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of nested tables as (dotted path, value as it is written)."""
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from flatten(inner, f"{path}.{name}" if path else str(name))
    elif path:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        yield path, text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def source_of(path: str, sources: Mapping[str, object]) -> object:
    """Where a value came from: the entry of its path, or of the longest path above it."""
    while path:
        if path in sources:
            return sources[path]
        path = path.rpartition(".")[0]
    return ""
