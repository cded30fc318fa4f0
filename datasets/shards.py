"""Parts of one ingest that the tasks of a cluster array do, and the stores that they write.

    stores/<name>.shard-<I>-of-<N>/shard.json    written after the index: what this part holds
        {"schema": 1, "name": ..., "number": I, "total": N, "plan": "xxh3-128:...",
         "recordings": [names]}

The plan is a hash of all files that the source holds: shards of one source agree in it. A shard
without a file of its own has no index.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import xxhash

from codecctl.datasets.store.disk import write_file
from codecctl.datasets.store.regular import open_regular
from codecctl.errors import CodecctlError, DataError, UsageError

NOTE_NAME = "shard.json"
MOST_SHARDS = 10_000
_MOST_BYTES = 1 << 26
_SPELLED = re.compile(r"([0-9]{1,5})/([0-9]{1,5})")
_FOLDER = re.compile(r"(?P<name>.+)\.shard-(?P<number>[0-9]{1,5})-of-(?P<total>[0-9]{1,5})")

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """One part of the ingest of a store."""

    name: str
    """Of the store that the shards become."""
    number: int
    """From 1."""
    total: int

    @property
    def folder_name(self) -> str:
        """Of the store of this part."""
        return f"{self.name}.shard-{self.number}-of-{self.total}"


@dataclass(frozen=True)
class ShardNote:
    """What a finished shard says about itself."""

    shard: Shard
    plan: str
    recordings: tuple[str, ...]


def shard_option(text: str) -> tuple[int, int]:
    """The number and total of `I/N`.

    Raises:
        UsageError: It is no such pair.
    """
    match = _SPELLED.fullmatch(text.strip())
    number, total = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= total <= MOST_SHARDS:
        raise UsageError(
            f"--shard {text}: needed I/N with 1 <= I <= N <= {MOST_SHARDS}, such as 1/4; in a "
            "SLURM array from 1 to 4: --shard $SLURM_ARRAY_TASK_ID/4"
        )
    return number, total


def parse_shard(folder_name: str) -> Shard | None:
    """The shard whose store has this folder name, or None."""
    match = _FOLDER.fullmatch(folder_name)
    return Shard(match["name"], int(match["number"]), int(match["total"])) if match else None


def is_shard(folder_name: str) -> bool:
    """Whether a folder of stores is a part that waits for `data merge`."""
    return parse_shard(folder_name) is not None


def part_of(items: Sequence[tuple[str, int, T]], *, number: int, total: int) -> list[T]:
    """The items of one shard: the largest first, each to the shard with the least so far.

    The same for every shard and every run over the same files, in whatever order they come.

    Args:
        items: A unique key, a size, and the thing itself.
        number: Of the shard, from 1.
        total: Number of shards.
    """
    loads = [0] * total
    mine = []
    for _, size, item in sorted(items, key=lambda row: (-row[1], row[0])):
        least = loads.index(min(loads))
        loads[least] += max(1, size)
        if least == number - 1:
            mine.append(item)
    return mine


def plan_hash(files: Sequence[tuple[str, int]], settings: Sequence[object]) -> str:
    """Hash of all files of a source, with their sizes, and of what they are to become."""
    content = json.dumps([sorted(files), list(settings)]).encode()
    return f"xxh3-128:{xxhash.xxh3_128_hexdigest(content)}"


def write_note(folder: Path, note: ShardNote) -> None:
    """Say that a shard is complete; call after its index is written.

    Raises:
        CodecctlError: The disk does not take it.
    """
    content = {
        "schema": 1,
        "name": note.shard.name,
        "number": note.shard.number,
        "total": note.shard.total,
        "plan": note.plan,
        "recordings": sorted(note.recordings),
    }
    write_json(folder / NOTE_NAME, content)


def write_json(path: Path, content: object) -> None:
    """Write a small file that appears whole or not at all.

    Raises:
        CodecctlError: The disk does not take it.
    """
    write_file(path, json.dumps(content, indent=1).encode(), make_folder=True)


def read_json(path: Path) -> dict[str, object] | None:
    """An object of JSON from a small file; None where there is no file.

    Raises:
        DataError: It is too large, damaged or something else.
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise DataError(f"{path}: larger than {_MOST_BYTES} bytes; remove it")
        content = json.loads(data)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CodecctlError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: damaged, not JSON ({error}); remove it") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: damaged, needed an object; remove it")
    return content


def read_note(folder: Path) -> ShardNote | None:
    """What a shard says about itself; None while it is not complete.

    Raises:
        DataError: It is damaged.
    """
    content = read_json(folder / NOTE_NAME)
    shard = parse_shard(folder.name)
    if content is None or shard is None:
        return None
    plan, names = content.get("plan"), content.get("recordings")
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not isinstance(plan, str) or not isinstance(names, list) or not is_list:
        raise DataError(f"{folder / NOTE_NAME}: damaged; run the ingest of this shard again")
    return ShardNote(shard, plan, tuple(names))
