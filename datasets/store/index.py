"""`index.json`: what a store holds; written last and as a whole.

The value of `checksum` is `xxh3-128:` and the hash, in 32 digits, of the bytes of the file with
zeros in the place of these digits. So no changed byte goes unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import xxhash

from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import write_file
from codecctl.datasets.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    INDEX_NAME,
    RECORDINGS_FOLDER,
    STORE_DTYPES,
    Corpus,
    RecordingInfo,
    store_dtype,
)
from codecctl.datasets.store.regular import read_small
from codecctl.errors import DataError, NotFoundError

_CHECKSUM = "checksum"
_ALGORITHM = "xxh3-128:"
_DIGITS = 32
_MOST_BYTES = 1 << 28
"""A row takes 1 kB; a file beyond this is no index and would fill the memory."""


class OtherVersionError(DataError):
    """A store that another codecctl can read."""


@dataclass(frozen=True)
class Index:
    """What `index.json` says."""

    name: str
    sample_rate: int
    """Hz, of every recording."""
    dtype: str
    """One of `STORE_DTYPES`."""
    recordings: tuple[RecordingInfo, ...]
    """Sorted by name, so that nothing depends on the order of writing."""
    corpora: tuple[Corpus, ...] = ()
    """The data sets that the recordings came from, sorted by id."""
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a table beside the audio says of a recording: name, column, text."""

    @property
    def source_folder(self) -> str:
        """The folder that was ingested; empty when unknown or when there were several."""
        return self.corpora[0].folder if len(self.corpora) == 1 else ""

    @property
    def fingerprint(self) -> str:
        """Hash of what the recordings are and of their audio, whenever and wherever written."""
        rows = [
            [
                row.name,
                row.scene,
                row.take,
                row.array,
                row.channels,
                row.frames,
                row.dtype,
                bits,
                row.audio_hash,
            ]
            for row in self.recordings
            for bits in (row.source_bits if self.dtype == "pcm" else 0,)
        ]
        identity = json.dumps([self.sample_rate, self.dtype, rows])
        return f"xxh3-128:{xxhash.xxh3_128_hexdigest(identity.encode())}"


def write_index(
    store_folder: Path,
    *,
    name: str,
    sample_rate: int,
    dtype: str,
    recordings: Sequence[RecordingInfo],
    corpora: Sequence[Corpus] = (),
    metadata: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Make a store visible, or replace what it lists.

    Args:
        store_folder: Holds the recordings already.
        name: Of the store.
        sample_rate: Hz, of every recording.
        dtype: One of `STORE_DTYPES`.
        recordings: At least one, in any order.
        corpora: The data sets that they came from, in any order.
        metadata: Of some recordings, by name and column.

    Raises:
        CodecctlError: The disk does not take it.
    """
    kind = (sample_rate, dtype)
    wrong = [row.name for row in recordings if (row.sample_rate, store_dtype(row.dtype)) != kind]
    assert recordings and not wrong, (len(recordings), wrong)
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name,
        "sample_rate": sample_rate,
        "dtype": dtype,
        "corpora": [asdict(corpus) for corpus in sorted(corpora, key=lambda row: row.id)],
        "metadata": {key: dict(row) for key, row in sorted((metadata or {}).items())},
        "recordings": [row.to_json() for row in sorted(recordings, key=lambda row: row.name)],
    }
    write_file(store_folder / INDEX_NAME, sealed(content))


def sealed(content: Mapping[str, object]) -> bytes:
    """The bytes of an index, with their checksum as the last key."""
    blank = {**content, _CHECKSUM: _ALGORITHM + "0" * _DIGITS}
    data = json.dumps(blank, indent=1).encode()
    digest = xxhash.xxh3_128_hexdigest(data)
    start = data.rindex(b"0" * _DIGITS)
    return data[:start] + digest.encode() + data[start + _DIGITS :]


def read_index(store_folder: Path) -> Index:
    """Read and check `index.json`.

    Raises:
        NotFoundError: There is none.
        OtherVersionError: It is of another version of the format.
        DataError: It is damaged, or of another format.
    """
    path = store_folder / INDEX_NAME
    try:
        data = read_small(path, most=_MOST_BYTES)
        content = json.loads(data)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{store_folder}: no store here (no {INDEX_NAME})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged, not JSON ({error}); ingest again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: not the index of a store; needed format {FORMAT!r}")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise (OtherVersionError if isinstance(version, int) else DataError)(
            f"{path}: found store format version {version}, this codecctl reads version "
            f"{FORMAT_VERSION}; remove the store, or ingest again with another --name"
        )
    if not _is_sealed(data, content.get(_CHECKSUM)):
        raise DataError(f"{path}: damaged, its checksum is another; ingest again")
    try:
        return _parse(content)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: damaged, {error}; ingest again") from error


def _is_sealed(data: bytes, checksum: object) -> bool:
    if not isinstance(checksum, str) or not checksum.startswith(_ALGORITHM):
        return False
    digits = checksum[len(_ALGORITHM) :].encode()
    start = data.rfind(digits)
    if len(digits) != _DIGITS or start < 0:
        return False
    blank = data[:start] + b"0" * _DIGITS + data[start + _DIGITS :]
    return xxhash.xxh3_128_hexdigest(blank).encode() == digits


def _parse(content: dict[str, object]) -> Index:
    name = content.get("name")
    rate, dtype, rows = (content.get(key) for key in ("sample_rate", "dtype", "recordings"))
    if not isinstance(name, str):
        raise TypeError(f"name: found {name!r}, needed text")
    if not isinstance(rate, int) or rate <= 0:
        raise ValueError(f"sample_rate: found {rate!r}, needed Hz")
    if not isinstance(dtype, str) or dtype not in STORE_DTYPES:
        raise ValueError(f"dtype: found {dtype!r}, needed one of {', '.join(STORE_DTYPES)}")
    if not isinstance(rows, list) or not rows:
        raise ValueError("recordings: found none")
    recordings = [RecordingInfo.from_json(row if isinstance(row, dict) else {}) for row in rows]
    for info in recordings:
        if (info.sample_rate, store_dtype(info.dtype)) != (rate, dtype):
            found = f"{info.sample_rate} Hz {info.dtype}"
            raise ValueError(f"recording {info.name!r}: found {found}, needed {rate} Hz {dtype}")
    return Index(
        name,
        rate,
        dtype,
        recordings=tuple(sorted(recordings, key=lambda info: info.name)),
        corpora=_corpora(content.get("corpora")),
        metadata=_metadata(content.get("metadata")),
    )


def _corpora(rows: object) -> tuple[Corpus, ...]:
    keys = [item.name for item in fields(Corpus)]
    corpora = []
    for row in rows if isinstance(rows, list) else [None]:
        values = {key: row.get(key) for key in keys} if isinstance(row, dict) else {}
        texts = {key: value for key, value in values.items() if isinstance(value, str)}
        if len(texts) < len(keys):
            raise TypeError(f"corpora: found {row!r}, needed {', '.join(keys)}")
        corpora.append(Corpus(**texts))
    return tuple(corpora)


def _metadata(table: object) -> dict[str, dict[str, str]]:
    if not isinstance(table, dict):
        raise TypeError(f"metadata: found {table!r}, needed a table")
    for name, row in table.items():
        if not isinstance(row, dict) or not all(isinstance(text, str) for text in row.values()):
            raise TypeError(f"metadata of {name!r}: found {row!r}, needed texts by column")
    return table


def committed_recordings(store_folder: Path) -> dict[str, RecordingInfo]:
    """The whole recordings of a folder, whether an index lists them or not.

    What an interrupted ingest can build on. Temporary files, files without `complete` and files
    that HDF5 cannot open are left out: writing them again replaces them.
    """
    found = {}
    for path in sorted((store_folder / RECORDINGS_FOLDER).glob("[!.]*.h5")):
        info = describe(path)
        if info is not None and info.name == path.stem:
            found[path.stem] = info
    return found
