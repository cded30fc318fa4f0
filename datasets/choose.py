"""Find the store that a profile can train on, or say what would make one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.store import Geometry, Index, Store, read_index, size_text
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

AUTO = "auto"
"""The name that means: whichever fits."""


@dataclass(frozen=True)
class Need:
    """What a profile asks of a store."""

    rate: int
    """Hz."""
    dtypes: tuple[str, ...]
    """Any of them will do; the first is the one to ingest."""
    channels: int
    """That at least one recording has."""
    seconds: float
    """That the same recording lasts."""


def choose_store(folder: Path, need: Need, name: str | None) -> Store:
    """Open the store of this name, or the only one that fits.

    Args:
        folder: Where stores live.
        need: What the store has to hold.
        name: Name or path of a store; None or `auto` for the one that fits.

    Raises:
        NotFoundError: There is no store, or none of this name.
        UsageError: Several fit.
        DataError: None fits, or the one that does is damaged; says what would help.
    """
    if name is not None and name != AUTO:
        return _named(folder, need, name)
    fitting, misfits, broken = [], [], []
    for path in _store_paths(folder):
        try:
            index = read_index(path)
        except CodecctlError as error:
            broken.append(error)
            continue
        why = misfit(index, need)
        if why:
            misfits.append((index, why))
        else:
            fitting.append(path)
    if len(fitting) > 1:
        names = ", ".join(path.name for path in fitting)
        raise UsageError(
            f"{folder}: found {len(fitting)} stores that fit ({names}), needed one; choose with "
            f"data.store={fitting[0].name}"
        )
    if fitting:
        return Store.open(fitting[0])
    if misfits:
        raise DataError(_misfit_message(misfits, need, broken))
    if broken:
        raise broken[0]
    raise NotFoundError(
        f"{folder}: no store here; make one with: codecctl data ingest FOLDER --rate {need.rate}"
    )


def misfit(index: Index, need: Need) -> str:
    """Why a store does not do, "" when it does."""
    if index.sample_rate != need.rate:
        return f"found {index.sample_rate} Hz, needed {need.rate} Hz"
    if index.dtype not in need.dtypes:
        return f"found {index.dtype}, needed {' or '.join(need.dtypes)}"
    most = max(info.channels for info in index.recordings)
    if most < need.channels:
        return f"found {most} channels at most, needed {need.channels}"
    longest = max(info.seconds for info in index.recordings if info.channels >= need.channels)
    if longest < need.seconds:
        return (
            f"found {longest:.2f} s at most with {need.channels} channels, needed {need.seconds} s"
        )
    return ""


def _named(folder: Path, need: Need, name: str) -> Store:
    for path in (folder / name, Path(name)):
        if not path.is_dir():
            continue
        index = read_index(path)
        why = misfit(index, need)
        if why:
            raise DataError(_misfit_message([(index, why)], need))
        return Store.open(path)
    have = ", ".join(path.name for path in _store_paths(folder)) or "none"
    raise NotFoundError(f"{name}: no store of this name or path; {folder} holds {have}")


def _store_paths(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/index.json"))


def _misfit_message(
    misfits: Sequence[tuple[Index, str]], need: Need, broken: Sequence[CodecctlError] = ()
) -> str:
    """All reasons, and the command that makes a store that fits from a source that would do."""
    reasons = "; ".join(
        [f"store {index.name}: {why}" for index, why in misfits] + [str(error) for error in broken]
    )
    for index, _ in misfits:
        if _source_would_do(index, need):
            return f"{reasons}; make one that fits with: {_ingest_command(index, need)}"
    return (
        f"{reasons}; make one that fits from recordings of at least {need.channels} channels and "
        f"{need.seconds:g} s with: codecctl data ingest FOLDER --rate {need.rate}"
    )


def _source_would_do(index: Index, need: Need) -> bool:
    """Whether rate and dtype are all that stands in the way."""
    as_needed = Index(index.name, need.rate, need.dtypes[0], index.recordings)
    return misfit(as_needed, need) == ""


def _ingest_command(index: Index, need: Need) -> str:
    dtype = need.dtypes[0]
    size = sum(
        Geometry(
            info.channels,
            -(-info.frames * need.rate // info.sample_rate),
            need.rate,
            dtype,
        ).audio_bytes
        for info in index.recordings
    )
    hours = sum(info.seconds for info in index.recordings) / 3600
    source = shlex.quote(index.source_folder) if index.source_folder else "FOLDER"
    changed = need.rate if index.sample_rate != need.rate else dtype
    name = shlex.quote(f"{index.name}-{changed}")
    return (
        f"codecctl data ingest {source} --name {name} --rate {need.rate} --dtype {dtype} "
        f"({size_text(size)}, {hours:.3g} h of audio)"
    )
