"""Gives every candidate a name in the store that stays the same from one ingest to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from codecctl.datasets.audiofile import AudioFile
from codecctl.datasets.naming import Place
from codecctl.datasets.store import RecordingInfo


@dataclass(frozen=True)
class Candidate:
    """A file that can become a recording."""

    audio: AudioFile
    source_name: str
    where: Place
    array: str
    corpus: str = ""

    @property
    def kind(self) -> tuple[str, str]:
        """What two files of one scene and take differ in when they are no twins."""
        return (self.corpus, self.array)


@dataclass(frozen=True)
class Named:
    """A candidate and what the store calls it."""

    candidate: Candidate
    name: str
    take: str
    twin: Candidate | None
    """Another candidate of this corpus, array, scene and take, which has the plain name."""


def named(candidates: Sequence[Candidate], stored: Mapping[str, RecordingInfo]) -> Iterator[Named]:
    """Names for all candidates.

    The identity of a recording is (corpus, array, scene, take). Its name is `<scene>.<take>`;
    where two arrays recorded one take, capsule signals keep that name and the others add their
    channel count (`Beach.1-25ch`); where another corpus of the store has the name, the corpus is
    added (`Beach.1-garden`). A second file of one identity becomes another take (`1-2`). What the
    store holds from a file of the same path keeps its name whatever else appears beside it.
    """
    claimed: dict[str, Candidate] = {}
    fresh: list[Candidate] = []
    by_source = {
        (row.corpus, row.array, row.source_name, row.scene): row for row in stored.values()
    }
    for candidate in candidates:
        row = by_source.get((*candidate.kind, candidate.source_name, candidate.where.scene))
        if row is None or _folded(row.name) in claimed:
            fresh.append(candidate)
            continue
        claimed[_folded(row.name)] = candidate
        yield Named(candidate, row.name, row.take, None)
    kinds = {_folded(name): (row.corpus, row.array) for name, row in stored.items()}
    for candidate in sorted(fresh, key=_precedence):
        found = _free_name(candidate, claimed, kinds)
        claimed[_folded(found.name)] = candidate
        yield found


def _free_name(
    candidate: Candidate, claimed: Mapping[str, Candidate], kinds: Mapping[str, tuple[str, str]]
) -> Named:
    twin: Candidate | None = None
    for number in count(1):
        take = candidate.where.take if number == 1 else f"{candidate.where.take}-{number}"
        plain = f"{candidate.where.scene}.{take}" if candidate.where.scene else take
        for name in _forms(plain, candidate, claimed, kinds):
            holder = claimed.get(_folded(name))
            kind = holder.kind if holder is not None else kinds.get(_folded(name))
            if kind == candidate.kind and holder is not None:
                twin = twin or holder
                break
            if kind in (None, candidate.kind):
                return Named(candidate, name, take, twin)
    raise AssertionError("count() does not end")


def _forms(
    plain: str,
    candidate: Candidate,
    claimed: Mapping[str, Candidate],
    kinds: Mapping[str, tuple[str, str]],
) -> list[str]:
    """Names to try for a take, the shortest that says the difference first."""
    holder = claimed.get(_folded(plain))
    kind = holder.kind if holder is not None else kinds.get(_folded(plain))
    other = kind is not None and kind[0] != candidate.corpus
    channels, corpus = f"-{candidate.audio.channels}ch", f"-{candidate.corpus or 'other'}"
    ends = [corpus, f"{corpus}{channels}"] if other else [channels, f"{corpus}{channels}"]
    return [plain, *(f"{plain}{end}" for end in ends)]


def _precedence(candidate: Candidate) -> tuple[bool, int, str]:
    return (candidate.array != "em32", -candidate.audio.channels, candidate.source_name)


def _folded(name: str) -> str:
    """Names that some file systems cannot tell apart are one."""
    return name.casefold()
