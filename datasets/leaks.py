"""Recordings that hold the same audio, found by the hashes that every chunk was stored with.

Reads the `/check` tables only: 8 bytes for each second of each channel. A chunk is one second of
one channel, so that a copy is found where it lies on the grid of seconds of its recording: whole
files, exchanged channels, and cuts at full seconds. Gain does not hide an int16 copy, since the
integers of a second use the full range. Chunks without information (silence, a dead channel) are
equal by nature and do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from codecctl.datasets.split import Split
from codecctl.datasets.store import RecordingInfo, Store, recording_path
from codecctl.datasets.store.hashes import hash_chunk
from codecctl.datasets.store.tables import read_check
from codecctl.errors import DataError

_CONSTANT_CHECKS = 256
"""Different chunks that are read to see whether they hold information; more are no accident."""
_SHOWN = 3


@dataclass(frozen=True)
class Shared:
    """Two recordings that are not independent of each other."""

    first: str
    second: str
    what: str
    """`same audio`, `same source file`, `same take` or `equal seconds`."""
    seconds: tuple[int, ...] = ()
    """Of the first recording, for `equal seconds`."""
    seconds_of_second: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.what != EQUAL_SECONDS:
            return f"{self.first} and {self.second}: {self.what}"
        return (
            f"{self.first} {_spans(self.seconds)} and {self.second} "
            f"{_spans(self.seconds_of_second)}: the same audio"
        )


@dataclass(frozen=True)
class Leak:
    """What two sides of a split share."""

    sides: tuple[str, str]
    shared: Shared | None
    """None: one recording on both sides."""
    recording: str = ""

    def __str__(self) -> str:
        between = " and ".join(self.sides)
        if self.shared is None:
            return f"{self.recording} is in {between}"
        return f"{self.shared} ({between})"


SAME_AUDIO = "same audio"
SAME_SOURCE = "same source file"
SAME_TAKE = "same take"
EQUAL_SECONDS = "equal seconds"


def refuse_leaks(store_folder: Path, sides: Split) -> None:
    """Check that nothing is heard on two sides of a split.

    A store of one recording that trains and validates on itself says so in its note, and passes.

    Raises:
        DataError: Something is; names recordings and seconds, and the fix.
    """
    if not sides.on_itself:
        refuse(store_folder, find_leaks(store_folder, sides))


def refuse(store_folder: Path, leaks: Sequence[Leak]) -> None:
    """Raise what a user reads where there are leaks.

    Raises:
        DataError: There are.
    """
    if not leaks:
        return
    shown = "; ".join(str(leak) for leak in leaks[:_SHOWN])
    more = f"; and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else ""
    name = store_folder.name
    raise DataError(
        f"store {name}: training would hear what validation measures: {shown}{more}; needed sides "
        f"that share nothing; make some with: codecctl data split {name} --by recording, and train "
        f"with data.split=recording"
    )


def find_leaks(store_folder: Path, sides: Split) -> tuple[Leak, ...]:
    """What any two sides of a split share; worst first: whole recordings, then seconds."""
    used = {name for names in sides.sides.values() for name in names}
    with Store.open(store_folder, check=False) as store:
        rows = [info for info in store.recordings if info.name in used]
        return leaks_between(sides, shared_audio(store, rows))


def leaks_between(sides: Split, shared: Sequence[Shared]) -> tuple[Leak, ...]:
    """Those pairs of recordings that are on two sides, after recordings that are themselves."""
    groups = sides.sides
    found = [
        Leak((left, right), None, name)
        for left, right in combinations(groups, 2)
        for name in sorted(set(groups[left]) & set(groups[right]))
    ]
    side_of = {name: side for side, names in groups.items() for name in names}
    for pair in shared:
        first, second = side_of.get(pair.first), side_of.get(pair.second)
        if first is not None and second is not None and first != second:
            found.append(Leak((first, second), pair))
    return tuple(found)


def shared_audio(store: Store, rows: Sequence[RecordingInfo]) -> list[Shared]:
    """Every pair of recordings that is not independent, once, by the strongest reason.

    Args:
        store: Opened, as it is on the disk.
        rows: Of its recordings, those to compare.
    """
    found: dict[tuple[str, str], Shared] = {}
    for what, key in (
        (SAME_AUDIO, lambda info: info.audio_hash),
        (SAME_SOURCE, lambda info: info.source_hash if ":" in info.source_hash else ""),
        (SAME_TAKE, lambda info: (info.corpus, info.scene, info.take)),
    ):
        same: dict[object, list[str]] = {}
        for info in rows:
            if key(info):
                same.setdefault(key(info), []).append(info.name)
        for names in same.values():
            for first, second in combinations(sorted(names), 2):
                found.setdefault((first, second), Shared(first, second, what))
    for shared in _equal_chunks(store, rows):
        found.setdefault((shared.first, shared.second), shared)
    return list(found.values())


def _equal_chunks(store: Store, rows: Sequence[RecordingInfo]) -> list[Shared]:
    """Pairs of recordings with seconds of equal audio, in any of their channels."""
    ordered = sorted(rows, key=lambda info: info.name)
    tables = [_check_table(store.path, info) for info in ordered]
    if not tables:
        return []
    together = np.sort(np.concatenate([table.ravel() for table in tables]))
    repeated = np.unique(together[1:][together[1:] == together[:-1]])
    silent = {hash_chunk(bytes(size)) for size in {info.geometry.chunk_bytes for info in ordered}}
    repeated = np.setdiff1d(repeated, np.array(sorted(silent), dtype=np.uint64))
    if not len(repeated):
        return []
    found = []
    for owner, table in enumerate(tables):
        places = _among(table, repeated)
        channel, second = np.nonzero(places)
        found.append(np.stack([table[places], np.full(len(second), owner), channel, second]))
    chunks = _of_several(np.concatenate(found, axis=1).astype(np.uint64))
    chunks = _informative(store, ordered, chunks)
    return _pairs([info.name for info in ordered], chunks)


def _of_several(chunks: np.ndarray) -> np.ndarray:
    """The chunks whose hash more than one recording has, sorted by hash, owner and second.

    Args:
        chunks: (4, N) uint64: hash, index of the recording, channel, second.
    """
    chunks = chunks[:, np.lexsort((chunks[3], chunks[1], chunks[0]))]
    hashes, start = np.unique(chunks[0], return_index=True)
    owners = chunks[1]
    spread = np.maximum.reduceat(owners, start) != np.minimum.reduceat(owners, start)
    return chunks[:, _among(chunks[0], hashes[spread])]


def _among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which values are among sorted others; `np.isin` hashes these anew at every call."""
    if not len(ordered):
        return np.zeros(values.shape, dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: np.ndarray = ordered[place] == values
    return found


def _informative(store: Store, rows: Sequence[RecordingInfo], chunks: np.ndarray) -> np.ndarray:
    """Those of the chunks, (4, N), that hold more than one value; reads one for each hash."""
    hashes, places = np.unique(chunks[0], return_index=True)
    if len(hashes) > _CONSTANT_CHECKS:
        return chunks
    constant = [
        wanted
        for wanted, place in zip(hashes, places, strict=True)
        for _, owner, channel, second in (chunks[:, place].tolist(),)
        if _is_constant(store, rows[owner], channel, second)
    ]
    return chunks[:, ~np.isin(chunks[0], np.array(constant, dtype=np.uint64))]


def _pairs(names: Sequence[str], chunks: np.ndarray) -> list[Shared]:
    """The pairs of recordings that have equal chunks, with the seconds of each.

    Args:
        names: Of the recordings, sorted.
        chunks: (4, N) as `_of_several` sorts them.
    """
    hashes, owner, _, second = chunks.astype(np.int64)  # equal stays equal
    code = np.cumsum(np.concatenate([[0], hashes[1:] != hashes[:-1]]))
    first = np.ones(len(hashes), dtype=bool)
    first[1:] = (code[1:] != code[:-1]) | (owner[1:] != owner[:-1])
    codes, holders = code[first], owner[first]
    members: dict[int, list[np.ndarray]] = {}
    for distance in range(1, len(names)):
        equal = codes[distance:] == codes[:-distance]
        if not equal.any():
            break
        pairs = holders[:-distance][equal] * len(names) + holders[distance:][equal]
        shared = codes[:-distance][equal]
        order = np.argsort(pairs, kind="stable")
        numbers, starts = np.unique(pairs[order], return_index=True)
        for number, part in zip(numbers, np.split(shared[order], starts[1:]), strict=True):
            members.setdefault(int(number), []).append(part)
    result = []
    for number, parts in sorted(members.items()):
        left, right = divmod(number, len(names))
        is_shared = np.zeros(len(hashes), dtype=bool)
        is_shared[np.concatenate(parts)] = True
        within = np.flatnonzero(is_shared[code])
        spans = [np.unique(second[within[owner[within] == side]]) for side in (left, right)]
        result.append(
            Shared(
                names[left],
                names[right],
                EQUAL_SECONDS,
                tuple(spans[0].tolist()),
                tuple(spans[1].tolist()),
            )
        )
    return result


def _is_constant(store: Store, info: RecordingInfo, channel: int, second: int) -> bool:
    start = second * info.sample_rate
    frames = min(info.sample_rate, info.frames - start)
    return bool(np.ptp(store.read(info.name, start, frames, [channel])) == 0)


def _check_table(store_folder: Path, info: RecordingInfo) -> np.ndarray:
    """Hashes of the chunks, (C, seconds) uint64."""
    path = recording_path(store_folder, info.name)
    try:
        return read_check(path, info)
    except OSError as error:
        raise DataError(f"{path}: cannot read its hashes ({error}); ingest again") from error


def _spans(seconds: Sequence[int]) -> str:
    """Seconds as text, with runs drawn together: `seconds 0-9, 30 and 5 more`."""
    runs: list[list[int]] = []
    for second in seconds:
        if runs and second == runs[-1][1] + 1:
            runs[-1][1] = second
        else:
            runs.append([second, second])
    texts = [str(a) if a == b else f"{a}-{b}" for a, b in runs[:_SHOWN]]
    more = sum(b - a + 1 for a, b in runs[_SHOWN:])
    word = "second" if len(seconds) == 1 else "seconds"
    return f"{word} {', '.join(texts)}{f' and {more} more' if more else ''}"
