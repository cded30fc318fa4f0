"""Recordings that belong to one side of every split, drawn together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from codecctl.datasets.store import RecordingInfo

LOCATION = "Location"
"""The column of a corpus's table that says where a recording was made."""


def groups(
    recordings: Sequence[RecordingInfo],
    *,
    shared: Iterable[tuple[str, str]] = (),
    metadata: Mapping[str, Mapping[str, str]] | None = None,
) -> list[list[RecordingInfo]]:
    """Recordings of one take, of one source file, or of equal audio together.

    One take may have several products: capsules and their ambisonics.

    Args:
        recordings: In any order.
        shared: More pairs of names that belong together.
        metadata: Column and text by name of recording; recordings of one `Location` then belong
            together.

    Returns:
        Groups in the order of their first names, each sorted by name.
    """
    ordered = sorted(recordings, key=lambda info: info.name)
    parent = {info.name: info.name for info in ordered}
    keyed: dict[object, str] = {}
    for info in ordered:
        for key in _keys(info, (metadata or {}).get(info.name, {})):
            _join(parent, info.name, keyed.setdefault(key, info.name))
    for first, second in shared:
        if first in parent and second in parent:
            _join(parent, first, second)
    found: dict[str, list[RecordingInfo]] = {}
    for info in ordered:
        found.setdefault(_root(parent, info.name), []).append(info)
    return list(found.values())


def _keys(info: RecordingInfo, columns: Mapping[str, str]) -> Iterable[object]:
    yield "take", info.corpus, info.scene, info.take
    yield "audio", info.audio_hash
    if ":" in info.source_hash:  # an algorithm and its hash; ingests may do without
        yield "source", info.source_hash
    if columns.get(LOCATION):
        yield "location", " ".join(columns[LOCATION].lower().split())


def _join(parent: dict[str, str], first: str, second: str) -> None:
    """Make one group of two; the first name of a group stands for it."""
    roots = sorted((_root(parent, first), _root(parent, second)))
    parent[roots[1]] = roots[0]


def _root(parent: dict[str, str], name: str) -> str:
    while parent[name] != name:
        parent[name] = parent[parent[name]]
        name = parent[name]
    return name
