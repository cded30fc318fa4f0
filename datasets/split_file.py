"""Splits that are kept with a store, so that every training means the same by their name.

    <store>/splits/<name>.json    written whole or not at all
        method, seed              how it was drawn
        fingerprint               of the store that it was drawn from
        recordings                name and audio hash of each recording that there was
        folds                     names of recordings: train, validation, test

`NAME` means the only fold of a split, `NAME:FOLD` one of several, counted from 1.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from codecctl.datasets.folds import Method, Side
from codecctl.datasets.split import Split
from codecctl.datasets.store import AudioSource
from codecctl.datasets.store.disk import write_file
from codecctl.errors import DataError, NotFoundError, ProfileError, UsageError

FORMAT = "codecctl-split"
SCHEMA = 1
FOLDER = "splits"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_SHOWN = 4
_MOST_BYTES = 1 << 28

MADE, AGAIN, UNCHANGED = "made", "made again", "unchanged"


@dataclass(frozen=True)
class StoredSplit:
    """A split as it stands in its file."""

    name: str
    method: Method
    created: str
    """Date and time, UTC."""
    fingerprint: str
    """Of the store that it was made from."""
    recordings: Mapping[str, str]
    """Audio hash of every recording of that store, by name."""
    folds: tuple[Split, ...]


def new_split(
    name: str, method: Method, store: AudioSource, folds: tuple[Split, ...]
) -> StoredSplit:
    """A split of a store, made now.

    Raises:
        UsageError: The name is no name of a file.
    """
    if not NAME.fullmatch(name):
        raise UsageError(f"--name {name!r}: needed letters, digits and - _ . +, such as five-folds")
    return StoredSplit(
        name,
        method,
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        store.fingerprint,
        {info.name: info.audio_hash for info in store.recordings},
        folds,
    )


def write_split(store_folder: Path, split: StoredSplit) -> tuple[StoredSplit, str]:
    """Keep a split; one of the same name that says the same stays as it is, byte for byte.

    Returns:
        The split that is kept, and `MADE`, `AGAIN` (the store had changed) or `UNCHANGED`.

    Raises:
        UsageError: The name is taken by a split that was made in another way.
        CodecctlError: The disk does not take it.
    """
    path = split_path(store_folder, split.name)
    done = MADE
    if path.exists():
        kept = read_split(store_folder, split.name)
        if replace(split, created=kept.created) == kept:
            return kept, UNCHANGED
        if kept.method != split.method:
            raise UsageError(
                f"{path}: split {split.name} was made {kept.method}, asked for {split.method}; "
                f"give another --name, or take it away with --remove {split.name}"
            )
        done = AGAIN
    write_file(path, (json.dumps(_to_json(split), indent=1) + "\n").encode(), make_folder=True)
    return split, done


def read_split(store_folder: Path, name: str) -> StoredSplit:
    """Read a split.

    Raises:
        NotFoundError: There is none of this name; gives those that there are.
        DataError: The file is damaged.
    """
    path = split_path(store_folder, name)
    if not NAME.fullmatch(name) or not path.is_file():
        have = ", ".join(split_names(store_folder))
        fix = f"have: {have}" if have else "it has none"
        raise NotFoundError(
            f"store {store_folder.name}: no split {name}; {fix}; make one with: codecctl data "
            f"split {store_folder.name} --by recording --name {name or 'NAME'}"
        )
    try:
        return _from_json(name, _load(path))
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path}: damaged, no split ({error}); remove it and split again"
        ) from error


def remove_split(store_folder: Path, name: str) -> None:
    """Take a split away.

    Raises:
        NotFoundError: There is none of this name.
    """
    path = split_path(store_folder, name)
    if name not in split_names(store_folder):
        read_split(store_folder, name)
    path.unlink()


def split_names(store_folder: Path) -> tuple[str, ...]:
    """Names of the splits of a store, sorted."""
    paths = (store_folder / FOLDER).glob("*.json")
    return tuple(sorted(path.stem for path in paths if NAME.fullmatch(path.stem)))


def split_path(store_folder: Path, name: str) -> Path:
    """The file of a split."""
    return store_folder / FOLDER / f"{name}.json"


def named_split(store: AudioSource, text: str) -> Split:
    """The sides that `NAME` or `NAME:FOLD` means for a store as it is now.

    Recordings that came after the split was made are not used; the note says so.

    Raises:
        NotFoundError: The store has no such split, or the split no such fold.
        ProfileError: The split has several folds and none is chosen.
        DataError: Recordings of the split are gone or are others now.
    """
    name, _, number = text.partition(":")
    stored = read_split(store.path, name)
    folds = len(stored.folds)
    if not number and folds > 1:
        raise ProfileError(
            f"data.split: {name} has {folds} folds; needed one of {name}:1 to {name}:{folds}"
        )
    if number and not (number.isdecimal() and 1 <= int(number) <= folds):
        have = f"{name}:1 to {name}:{folds}" if folds > 1 else f"{name}:1"
        raise NotFoundError(f"store {store.name}: no fold {number} of split {name}; have: {have}")
    chosen = stored.folds[int(number or 1) - 1]
    _refuse_changes(store, stored, chosen)
    return replace(chosen, note=_news(store, stored))


def state_of(store: AudioSource, stored: StoredSplit) -> str:
    """What changed in a store since it was split, "" when nothing did."""
    now = {info.name: info.audio_hash for info in store.recordings}
    gone = [name for name in stored.recordings if name not in now]
    changed = [name for name, was in stored.recordings.items() if now.get(name, was) != was]
    new = [name for name in now if name not in stored.recordings]
    parts = [
        f"{what}: {_few(names)}"
        for what, names in (("gone", gone), ("changed", changed), ("new", new))
        if names
    ]
    return "; ".join(parts)


def _refuse_changes(store: AudioSource, stored: StoredSplit, chosen: Split) -> None:
    now = {info.name: info.audio_hash for info in store.recordings}
    used = (*chosen.train, *chosen.validation, *chosen.test)
    changed = [name for name in used if now.get(name) != stored.recordings[name]]
    if changed:
        raise DataError(
            f"store {store.name}: split {stored.name} was made of other recordings: "
            f"{_few(changed)} {'is' if len(changed) == 1 else 'are'} gone or changed; split again: "
            f"codecctl data split {store.path.name} {stored.method.options} --name {stored.name}"
        )


def _news(store: AudioSource, stored: StoredSplit) -> str:
    new = [info.name for info in store.recordings if info.name not in stored.recordings]
    if not new:
        return ""
    return (
        f"store {store.name}: {len(new)} recordings came after split {stored.name} was made and "
        f"are not used: {_few(new)}"
    )


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _load(path: Path) -> dict[str, object]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"found {path.stat().st_size} bytes")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise TypeError(f"found {type(content).__name__}")
    return content


def _to_json(split: StoredSplit) -> dict[str, object]:
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "name": split.name,
        "method": asdict(split.method),
        "created": split.created,
        "fingerprint": split.fingerprint,
        "recordings": dict(sorted(split.recordings.items())),
        "folds": [
            {"train": fold.train, "validation": fold.validation, "test": fold.test}
            for fold in split.folds
        ],
    }


def _from_json(name: str, content: Mapping[str, object]) -> StoredSplit:
    """A split from JSON; whatever is not as `_to_json` writes it is an error of Python."""
    if content["format"] != FORMAT or content["schema"] != SCHEMA:
        raise ValueError(f"format {content['format']!r} {content['schema']!r}")
    method, recordings, rows = content["method"], content["recordings"], content["folds"]
    if not (isinstance(method, dict) and isinstance(recordings, dict) and isinstance(rows, list)):
        raise TypeError("method, recordings or folds")
    folds = tuple(
        Split(_texts(row["train"]), _texts(row["validation"]), "", _texts(row["test"]))
        for row in rows
    )
    known = {str(recording): str(found) for recording, found in recordings.items()}
    for fold in folds:
        missing = {*fold.train, *fold.validation, *fold.test} - set(known)
        if missing or not fold.train or not fold.validation:
            raise ValueError(f"recordings {sorted(missing)}")
    if not folds:
        raise ValueError("no fold")
    created, fingerprint = str(content["created"]), str(content["fingerprint"])
    return StoredSplit(name, _method(method), created, fingerprint, known, folds)


def _method(row: Mapping[str, object]) -> Method:
    sides = {key: _side(row[key]) for key in ("train", "validation", "test")}
    folds, seed = row["folds"], row["seed"]
    if not isinstance(folds, int) or not isinstance(seed, int):
        raise TypeError("folds or seed")
    return Method(
        by=str(row["by"]),
        folds=folds,
        leave_one_out=row["leave_one_out"] is True,
        group=str(row["group"]),
        seed=seed,
        **sides,
    )


def _side(value: object) -> Side:
    if value is None or isinstance(value, float):
        return value
    return _texts(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise TypeError(f"{value!r:.60}: needed a list of names")
    return tuple(value)
