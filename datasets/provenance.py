"""Where a store comes from: what made its recordings, when, and from what."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from codecctl.datasets.store import RecordingInfo, Store, recording_path
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.trailer import read_trailer
from codecctl.errors import DataError

_ATTRIBUTES = ("tool", "resampler", "created")


@dataclass(frozen=True)
class Sources:
    """Recordings of one array, source rate and depth."""

    array: str
    channels: int
    rate: int
    """Hz, of the source."""
    bits: int
    """0 for lossy formats."""
    recordings: int


@dataclass(frozen=True)
class Provenance:
    """What made a store; counts of recordings by text."""

    sources: tuple[Sources, ...]
    hashes: Mapping[str, int]
    """Algorithm of the hash of the source file, `none` where it was not asked for."""
    tools: Mapping[str, int]
    resamplers: Mapping[str, int]
    first: str
    """Earliest and latest time of writing, UTC; empty when unknown."""
    last: str


def provenance(store: Store) -> Provenance:
    """Read what the index and the attributes of every recording say; no audio.

    Raises:
        DataError: A recording cannot be opened.
    """
    sources = Counter(
        (row.array, row.channels, row.source_rate, row.source_bits) for row in store.recordings
    )
    hashes = Counter(row.source_hash.partition(":")[0] or "none" for row in store.recordings)
    said = [_attributes(store, row) for row in store.recordings]
    times = sorted(time for time in (texts["created"] for texts in said) if time)
    return Provenance(
        sources=tuple(Sources(*key, count) for key, count in sorted(sources.items())),
        hashes=dict(hashes),
        tools=dict(Counter(texts["tool"] or "unknown" for texts in said)),
        resamplers=dict(Counter(texts["resampler"] or "unknown" for texts in said)),
        first=times[0] if times else "",
        last=times[-1] if times else "",
    )


def metadata_columns(store: Store) -> dict[str, dict[str, int]]:
    """Values of each metadata column with the number of recordings that have them."""
    columns: dict[str, Counter[str]] = {}
    for row in store.recordings:
        for column, text in store.metadata.get(row.name, {}).items():
            if text:
                columns.setdefault(column, Counter())[text] += 1
    return {column: dict(sorted(values.items())) for column, values in columns.items()}


def _attributes(store: Store, row: RecordingInfo) -> dict[str, str]:
    path = recording_path(store.path, row.name)
    try:
        descriptor = open_regular(path)
        try:
            found = read_trailer(descriptor, file_size=os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise DataError(f"{path}: cannot read the recording ({error}); ingest again") from error
    content = found[0] if found else {}
    return {key: str(content.get(key) or "") for key in _ATTRIBUTES}
