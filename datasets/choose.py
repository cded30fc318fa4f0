"""Find the store that a profile can train on, or say what would make one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.rated import at_rate, is_native
from codecctl.datasets.shards import is_shard
from codecctl.datasets.store import (
    AudioSource,
    Geometry,
    Index,
    Store,
    pcm_dtype,
    read_index,
    size_text,
)
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

AUTO = "auto"
"""The name that means: whichever fits."""

_INTEGERS = "pcm"
_RESAMPLED = "float32"
"""What samples are that were resampled."""


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
    check_reads: bool = False
    """Whether audio is to be checked when it is read for the first time."""


def choose_store(folder: Path, need: Need, name: str | None) -> AudioSource:
    """Open the store of this name, or the only one that fits best.

    A store at the needed rate wins. Only where there is none, one that keeps its sources' rate is
    read at the needed one (`rated.note` says so).

    Args:
        folder: Where stores live.
        need: What the store has to hold.
        name: Name or path of a store; None or `auto` for the one that fits.

    Raises:
        NotFoundError: There is no store, or none of this name.
        UsageError: Several fit equally well.
        DataError: None fits, or the one that does is damaged; says what would help.
    """
    if name is not None and name != AUTO:
        return _named(folder, need, name)
    fitting: list[tuple[int, Path]] = []
    misfits: list[tuple[Index, str]] = []
    broken: list[CodecctlError] = []
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
            fitting.append((_detour(index, need), path))
    if fitting:
        return _opened(_only_best(folder, fitting), need)
    if misfits:
        raise DataError(_misfit_message(misfits, need, broken))
    if broken:
        raise broken[0]
    fix = f"make one with: codecctl data ingest FOLDER --rate {need.rate}"
    shards = [path.name for path in sorted(folder.glob("*/")) if is_shard(path.name)]
    if shards:
        whole = shards[0].partition(".shard-")[0]
        fix = f"its {len(shards)} shards wait for: codecctl data merge {whole}"
    raise NotFoundError(f"{folder}: no store here; {fix}")


def misfit(index: Index, need: Need) -> str:
    """Why a store does not do, "" when it does, if only read at another rate."""
    if index.sample_rate != need.rate and not _can_be_resampled(index, need):
        return f"found {index.sample_rate} Hz, needed {need.rate} Hz"
    if index.dtype not in need.dtypes:
        return f"found {index.dtype}, needed {' or '.join(need.dtypes)}"
    most = max(info.channels for info in index.recordings)
    if most < need.channels:
        found = "1 channel" if most == 1 else f"{most} channels"
        return f"found {found} at most, needed {need.channels}"
    longest = max(info.seconds for info in index.recordings if info.channels >= need.channels)
    if longest < need.seconds:
        return (
            f"found {longest:.2f} s at most with {need.channels} channels, needed {need.seconds} s"
        )
    return ""


def _can_be_resampled(index: Index, need: Need) -> bool:
    """Whether windows of a store may be read at another rate: not where integers are needed."""
    return is_native(index.recordings) and _RESAMPLED in need.dtypes


def _detour(index: Index, need: Need) -> int:
    """How far from what is asked for a store that fits is; 0 for what would be ingested."""
    if index.sample_rate != need.rate:
        return 2
    return int(index.dtype == _INTEGERS != need.dtypes[0])


def _only_best(folder: Path, fitting: Sequence[tuple[int, Path]]) -> Path:
    nearest = min(detour for detour, _ in fitting)
    paths = [path for detour, path in fitting if detour == nearest]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise UsageError(
            f"{folder}: found {len(paths)} stores that fit ({names}), needed one; choose with "
            f"data.store={paths[0].name}"
        )
    return paths[0]


def _named(folder: Path, need: Need, name: str) -> AudioSource:
    for path in (folder / name, Path(name)):
        if not path.is_dir():
            continue
        index = read_index(path)
        why = misfit(index, need)
        if why:
            raise DataError(_misfit_message([(index, why)], need))
        return _opened(path, need)
    have = ", ".join(path.name for path in _store_paths(folder)) or "none"
    raise NotFoundError(f"{name}: no store of this name or path; {folder} holds {have}")


def _opened(path: Path, need: Need) -> AudioSource:
    return at_rate(Store.open(path, check_reads=need.check_reads), need.rate)


def _store_paths(folder: Path) -> list[Path]:
    """The stores of a folder; parts of one that wait to be merged are none."""
    paths = sorted(path.parent for path in folder.glob("*/index.json"))
    return [path for path in paths if not is_shard(path.name)]


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
    """Whether rate and dtype are all that stands in the way of an ingest of the same source."""
    if need.dtypes[0] == _INTEGERS and any(
        info.source_rate != need.rate for info in index.recordings
    ):
        return False
    as_needed = Index(index.name, need.rate, need.dtypes[0], index.recordings)
    return misfit(as_needed, need) == ""


def _ingest_command(index: Index, need: Need) -> str:
    dtype = need.dtypes[0]
    size = sum(
        Geometry(
            info.channels,
            -(-info.frames * need.rate // info.sample_rate),
            need.rate,
            pcm_dtype(info.source_bits) if dtype == _INTEGERS else dtype,
        ).audio_bytes
        for info in index.recordings
    )
    hours = sum(info.seconds for info in index.recordings) / 3600
    source = shlex.quote(index.source_folder) if index.source_folder else "FOLDER"
    changed = need.rate if index.sample_rate != need.rate else dtype
    name = shlex.quote(f"{index.name}-{changed}")
    rate = "native" if dtype == _INTEGERS else need.rate
    return (
        f"codecctl data ingest {source} --name {name} --rate {rate} --dtype {dtype} "
        f"({size_text(size)}, {hours:.3g} h of audio)"
    )
