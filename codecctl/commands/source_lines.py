"""Where a store comes from, as `data info` prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from codecctl.terminal import count_text, shortened

if TYPE_CHECKING:
    from codecctl.datasets.provenance import Provenance
    from codecctl.datasets.store import Corpus

UNKNOWN = "unknown: see the source"
_MOST_SOURCES = 4


def source_lines(made: Provenance, corpora: Sequence[Corpus]) -> list[str]:
    """What a store was made from and by, with licence and citation of each corpus."""
    lines = ["", "sources"]
    if len(made.sources) <= _MOST_SOURCES:
        lines += [
            f"  {kind.recordings} × {array_text(kind.array, kind.channels)}, {kind.rate} Hz, "
            f"{_depth_text(kind.bits)}"
            for kind in made.sources
        ]
    else:
        lines += _grouped_sources(made)
    written = made.first if made.first == made.last else f"{made.first} to {made.last}"
    lines += [
        f"  written {written or 'at an unknown time'}",
        f"  by {_kinds(made.tools)}, resampler {_kinds(made.resamplers)}, "
        f"source hash {_kinds(made.hashes)}",
    ]
    for corpus in corpora:
        lines.append(f"  {corpus.title or corpus.id}: from {corpus.folder or 'an unknown folder'}")
        lines.append(f"    licence   {corpus.licence or UNKNOWN}")
        lines.append(f"    citation  {corpus.citation or UNKNOWN}")
        lines += [f"    url       {corpus.url}"] if corpus.url else []
    return lines


def metadata_lines(columns: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Each column with its values."""
    if not columns:
        return []
    width = max(map(len, columns))
    rows = [
        f"  {column.ljust(width)}  {count_text(len(values), 'value')}: {shortened(list(values))}"
        for column, values in columns.items()
    ]
    return ["", "metadata", *rows]


def array_text(array: str, channels: int) -> str:
    """An array as people call it: `em32`, `mono`, `4 channels`."""
    if not array.startswith("unknown"):
        return f"{array} ({channels} channels)"
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def _grouped_sources(made: Provenance) -> list[str]:
    """Arrays, rates and depths apart, the most frequent first: many kinds in three lines."""
    counts: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
    for kind in made.sources:
        texts = (array_text(kind.array, kind.channels), f"{kind.rate} Hz", _depth_text(kind.bits))
        for counter, text in zip(counts, texts, strict=True):
            counter[text] += kind.recordings
    return [
        "  " + ", ".join(f"{count} × {text}" for text, count in counter.most_common())
        for counter in counts
    ]


def _depth_text(bits: int) -> str:
    return f"{bits} bit" if bits else "lossy"


def _kinds(counts: Mapping[str, int]) -> str:
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{text} ({count})" for text, count in counts.items())
