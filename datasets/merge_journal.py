"""What a merge of stores is going to do, and the file that lets the same command go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from codecctl.datasets.shards import read_json, write_json
from codecctl.datasets.store import STORE_DTYPES, Corpus, RecordingInfo
from codecctl.datasets.transfer import STAGING
from codecctl.errors import DataError

JOURNAL_NAME = "journal.json"


@dataclass(frozen=True)
class Entry:
    """One recording that gets another store."""

    folder: str
    """Of the store that it comes from."""
    name: str
    """In the new store."""
    take: str
    row: RecordingInfo
    """Of the old store."""


@dataclass(frozen=True)
class Merge:
    """Everything that a merge does."""

    target: Path
    sample_rate: int
    dtype: str
    entries: tuple[Entry, ...]
    corpora: tuple[Corpus, ...]
    metadata: Mapping[str, Mapping[str, str]]
    """By recording of the new store."""
    command: str
    """That began it."""
    emptied: tuple[str, ...] = ()
    """Folders of stores that give their recordings away."""
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Recordings that such a store keeps."""

    @property
    def total_bytes(self) -> int:
        """Of all recordings."""
        return sum(entry.row.file_size for entry in self.entries)


def begun(target: Path) -> Merge | None:
    """The merge into this store that was interrupted.

    Raises:
        DataError: Its journal is damaged.
    """
    path = target / STAGING / JOURNAL_NAME
    content = read_json(path)
    if content is None:
        return None
    try:
        return _from_json(target, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fix = f"remove {target / STAGING} and merge again"
        raise DataError(f"{path}: damaged ({error}); {fix}") from error


def write_journal(merge: Merge) -> None:
    """Say what is to be done before anything is.

    Raises:
        CodecctlError: The disk does not take it.
    """
    content = {
        "schema": 1,
        "sample_rate": merge.sample_rate,
        "dtype": merge.dtype,
        "entries": [{**asdict(entry), "row": entry.row.to_json()} for entry in merge.entries],
        "corpora": [asdict(corpus) for corpus in merge.corpora],
        "metadata": {name: dict(row) for name, row in merge.metadata.items()},
        "command": merge.command,
        "emptied": list(merge.emptied),
        "kept": {folder: list(names) for folder, names in merge.kept.items()},
    }
    write_json(merge.target / STAGING / JOURNAL_NAME, content)


def _from_json(target: Path, content: Mapping[str, object]) -> Merge:
    """The inverse; raises what a damaged journal makes of it."""
    rate, dtype, command = (content[key] for key in ("sample_rate", "dtype", "command"))
    if not isinstance(rate, int) or dtype not in STORE_DTYPES or not isinstance(command, str):
        raise TypeError(f"{rate!r}, {dtype!r}, {command!r}")
    entries = tuple(_entry(_table(row)) for row in _list(content["entries"]))
    corpora = [
        Corpus(**{key.name: str(_table(row)[key.name]) for key in fields(Corpus)})
        for row in _list(content["corpora"])
    ]
    metadata = {
        name: {column: str(text) for column, text in _table(row).items()}
        for name, row in _table(content["metadata"]).items()
    }
    kept = {
        folder: tuple(map(str, _list(names))) for folder, names in _table(content["kept"]).items()
    }
    return Merge(
        target=target,
        sample_rate=rate,
        dtype=str(dtype),
        entries=entries,
        corpora=tuple(corpora),
        metadata=metadata,
        command=command,
        emptied=tuple(map(str, _list(content["emptied"]))),
        kept=kept,
    )


def _entry(row: Mapping[str, object]) -> Entry:
    name = str(row["name"])
    if not name or "/" in name or name.startswith("."):
        raise ValueError(f"the name {name!r}")
    info = RecordingInfo.from_json(_table(row["row"]))
    return Entry(folder=str(row["folder"]), name=name, take=str(row["take"]), row=info)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _table(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is no table")
    return value
