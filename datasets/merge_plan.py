"""What `data merge` has to do: the parts of a sharded ingest, or stores of several corpora."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.ingest_target import inspect_target, require_match
from codecctl.datasets.merge_journal import Entry, Merge
from codecctl.datasets.shards import ShardNote, parse_shard, read_note
from codecctl.datasets.store import Corpus, Index, RecordingInfo, read_index
from codecctl.errors import DataError, NotFoundError, UsageError

_SHOWN = 12


def shard_folders(stores: Path, name: str) -> list[Path]:
    """The stores of the parts of one ingest, by number."""
    found = []
    for folder in stores.iterdir() if stores.is_dir() else ():
        shard = parse_shard(folder.name)
        if shard is not None and shard.name == name and folder.is_dir():
            found.append((shard.total, shard.number, folder))
    return [folder for *_, folder in sorted(found)]


def plan_shards(stores: Path, name: str) -> Merge:
    """What joins the parts of an ingest.

    Args:
        stores: The folder of all stores.
        name: Of the store that the parts become.

    Raises:
        NotFoundError: Parts are missing or not complete; names them.
        DataError: The parts do not belong together, or one is damaged.
        UsageError: The store holds another rate or type.
    """
    folders = shard_folders(stores, name)
    notes = _complete_notes(folders, stores, name)
    if len({note.plan for note in notes}) > 1:
        raise DataError(
            f"{stores / name}: its parts were made of different files or with different options; "
            "run the ingest of every part again"
        )
    indexes = [
        (folder, read_index(folder))
        for folder, note in zip(folders, notes, strict=True)
        if note.recordings
    ]
    if not indexes:
        raise DataError(f"{stores / name}: none of its parts holds a recording")
    _require_one_kind(indexes)
    target = inspect_target(stores / name)
    first = indexes[0][1]
    require_match(target, sample_rate=first.sample_rate, dtype=first.dtype)
    entries: dict[str, Entry] = {}
    for folder, index in indexes:
        for row in index.recordings:
            _require_free(entries, folder, row, target.stored.get(row.name))
            entries[row.name] = Entry(str(folder.absolute()), row.name, row.take, row)
    return Merge(
        target=stores / name,
        sample_rate=first.sample_rate,
        dtype=first.dtype,
        entries=tuple(entries.values()),
        corpora=_corpora([index for _, index in indexes]),
        metadata={key: row for _, index in indexes for key, row in index.metadata.items()},
        command=command_of([name]),
        emptied=tuple(str(folder.absolute()) for folder in folders),
    )


@dataclass(frozen=True)
class Joining:
    """What joins several stores, and what is worth saying about it."""

    merge: Merge
    renamed: tuple[str, ...]
    left_out: tuple[str, ...]
    """Exact duplicates."""


def command_of(stores: Sequence[str], *, name: str = "", move: bool = False) -> str:
    """What a user types to begin a merge or to go on with it."""
    words = ["codecctl", "data", "merge", *stores, *(["--name", name] if name else [])]
    return shlex.join([*words, *(["--move"] if move else [])])


def plan_stores(sources: Sequence[Path], target: Path, *, move: bool, command: str) -> Joining:
    """What joins stores of several corpora into a new one.

    A name that another recording has already gets its corpus as a suffix, or the name of its
    store; a recording whose audio is there already is left out.

    Args:
        sources: Folders of at least two stores.
        target: Folder of the new store.
        move: The old stores lose what the new one gets.
        command: That asks for it.

    Raises:
        NotFoundError: There is no such store.
        DataError: One is damaged.
        UsageError: Rates or types differ, or a store holds the new name already.
    """
    indexes = [(folder, read_index(folder)) for folder in sources]
    _require_one_kind(indexes)
    if inspect_target(target).index is not None:
        raise UsageError(f"{target}: exists; give another --name, or remove it")
    entries: dict[str, Entry] = {}
    audio: dict[tuple[int, int, str, str], str] = {}
    metadata: dict[str, dict[str, str]] = {}
    renamed, left_out = [], []
    kept: dict[str, tuple[str, ...]] = {}
    for folder, index in indexes:
        place = str(folder.absolute())
        for row in index.recordings:
            key = (row.channels, row.frames, row.dtype, row.audio_hash)
            if key in audio:
                left_out.append(f"{folder.name}/{row.name} is the audio of {audio[key]}")
                kept[place] = (*kept.get(place, ()), row.name)
                continue
            audio[key] = f"{folder.name}/{row.name}"
            entry = _named(entries, folder, row)
            entries[entry.name.casefold()] = entry
            if entry.name != row.name:
                renamed.append(f"{folder.name}/{row.name} is {entry.name} in {target.name}")
            if row.name in index.metadata:
                metadata[entry.name] = dict(index.metadata[row.name])
    first = indexes[0][1]
    merge = Merge(
        target=target,
        sample_rate=first.sample_rate,
        dtype=first.dtype,
        entries=tuple(entries.values()),
        corpora=_corpora([index for _, index in indexes]),
        metadata=metadata,
        command=command,
        emptied=tuple(str(folder.absolute()) for folder in sources) if move else (),
        kept=kept if move else {},
    )
    return Joining(merge, tuple(renamed), tuple(left_out))


def _complete_notes(folders: Sequence[Path], stores: Path, name: str) -> list[ShardNote]:
    """What every part says about itself."""
    shards = [shard for folder in folders if (shard := parse_shard(folder.name)) is not None]
    if not shards:
        raise NotFoundError(
            f"{stores / name}: no parts of it here; make them with: codecctl data ingest FOLDER "
            f"--name {shlex.quote(name)} --shard I/N"
        )
    totals = sorted({shard.total for shard in shards})
    if len(totals) > 1:
        raise DataError(
            f"{stores / name}: found parts of {' and of '.join(map(str, totals))}; needed those of "
            "one ingest: remove the others"
        )
    notes = {shard.number: read_note(folder) for shard, folder in zip(shards, folders, strict=True)}
    missing = [number for number in range(1, totals[0] + 1) if notes.get(number) is None]
    if missing:
        listing = ", ".join(map(str, missing[:_SHOWN])) + (" ..." if len(missing) > _SHOWN else "")
        raise NotFoundError(
            f"{stores / name}: {len(missing)} of {totals[0]} parts are missing or not complete: "
            f"{listing}; run: codecctl data ingest FOLDER --name {shlex.quote(name)} --shard "
            f"{missing[0]}/{totals[0]}"
        )
    return [note for note in notes.values() if note is not None]


def _require_one_kind(indexes: Sequence[tuple[Path, Index]]) -> None:
    (one, first), *others = indexes
    for other, index in others:
        if (index.sample_rate, index.dtype) != (first.sample_rate, first.dtype):
            raise UsageError(
                f"{other}: holds {index.sample_rate} Hz {index.dtype}, {one} holds "
                f"{first.sample_rate} Hz {first.dtype}; a store holds one rate and type: ingest "
                f"the source again with --rate {first.sample_rate} --dtype {first.dtype}"
            )


def _require_free(
    entries: dict[str, Entry], folder: Path, row: RecordingInfo, held: RecordingInfo | None
) -> None:
    """A name means one recording in all parts and in the store that they become."""
    for other in (entries[row.name].row if row.name in entries else None, held):
        if other is not None and (row.name in entries or _identity(other) != _identity(row)):
            raise DataError(
                f"{folder}: its {row.name} is another recording than the one of this name in "
                "the other parts or in the store; run the ingest of every part again"
            )


def _named(entries: dict[str, Entry], folder: Path, row: RecordingInfo) -> Entry:
    """A recording with a name, in any case of its letters, and an identity of its own."""
    place = str(folder.absolute())
    holder = entries.get(row.name.casefold())
    if holder is None:
        return Entry(place, row.name, row.take, row)
    taken = {(*_identity(entry.row)[:3], entry.take) for entry in entries.values()}
    take = f"{row.take}-{folder.name}" if _identity(row) in taken else row.take
    ends = [folder.name, *(f"{folder.name}-{number}" for number in range(2, len(entries) + 3))]
    if row.corpus and row.corpus != holder.row.corpus:
        ends.insert(0, row.corpus)
    name = next(name for end in ends if (name := f"{row.name}-{end}").casefold() not in entries)
    return Entry(place, name, take, row)


def _identity(row: RecordingInfo) -> tuple[str, str, str, str]:
    return (row.corpus, row.array, row.scene, row.take)


def _corpora(indexes: Sequence[Index]) -> tuple[Corpus, ...]:
    rows: dict[str, Corpus] = {}
    for index in indexes:
        for corpus in index.corpora:
            rows.setdefault(corpus.id, corpus)
    return tuple(rows.values())
