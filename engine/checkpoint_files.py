"""Checkpoint folders: written whole, checked by hash, removed by a rule; needs no torch.

    checkpoints/step-000000500/state.pt             everything that training needs to go on
    checkpoints/step-000000500/weights.safetensors  the generator
    checkpoints/step-000000500/ema.safetensors      its averaged weights, where they are kept
    checkpoints/step-000000500/meta.json            step, metrics, hashes of the other files
    checkpoints/last, checkpoints/best              text: the name of a folder

A folder is written under another name, synced and renamed, so that one of this pattern is
complete; what happens to its bytes afterwards (a disk, a copy) is caught by the hashes.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import xxhash

from codecctl.engine.checked_file import HASH, CheckedFile
from codecctl.engine.files import sync_folder, write_json_atomically, write_text_atomically
from codecctl.engine.rows import number
from codecctl.engine.runlist import STEP_PREFIX, read_json, read_pointer
from codecctl.errors import CodecctlError

SCHEMA = 2
"""Of a checkpoint: what its state holds."""
META = "meta.json"
_TEMPORARY = ".tmp-"
_REPLACED = ".replaced-"
_DAMAGED = "damaged-"
_BLOCK_BYTES = 1 << 22
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_checkpoint(
    folder: Path,
    name: str,
    *,
    files: Mapping[str, Callable[[CheckedFile], None]],
    meta: Mapping[str, object],
) -> Path:
    """Write a checkpoint folder, whole or not at all.

    Args:
        folder: `checkpoints/` of a run; this job holds the lease.
        name: Of the new folder, `step-000000500`. One that exists is replaced.
        files: What writes each file.
        meta: Goes into meta.json, beside the size and hash of each file.

    Raises:
        CodecctlError: The disk is full or fails; everything older is as it was.
    """
    beside = folder / f"{_TEMPORARY}{name}-{socket.gethostname()}-{os.getpid()}"
    remove_leftovers(folder)
    try:
        beside.mkdir()
        facts = {file: _write_file(beside / file, write) for file, write in files.items()}
        write_json_atomically(beside / META, {"schema": SCHEMA, **meta, "files": facts})
        final = folder / name
        if final.exists():
            final.rename(folder / f"{_REPLACED}{name}")
        beside.rename(final)
        sync_folder(folder)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        with suppress(OSError):  # else the next job puts it back
            restore_replaced(folder)
        if isinstance(error, OSError):
            raise _not_saved(folder, name, error) from error
        raise
    remove_leftovers(folder)
    return final


def set_pointer(folder: Path, pointer: str, name: str) -> None:
    """Make the text file `last` or `best` name a checkpoint."""
    try:
        write_text_atomically(folder / pointer, name + "\n")
    except OSError as error:
        raise _not_saved(folder, pointer, error) from error


def damage(checkpoint: Path) -> str:
    """What is wrong with a checkpoint folder, "" if each file is as it was written."""
    meta = read_json(checkpoint / META)
    facts = meta.get("files")
    if not isinstance(facts, dict) or not facts:
        return f"{META} is missing or damaged"
    if not all(isinstance(fact, dict) for fact in facts.values()):
        return f"{META} is missing or damaged"
    for name, fact in facts.items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is missing"
        size, expected = path.stat().st_size, fact.get("bytes")
        if size != expected:
            return f"{name} has {size} bytes instead of {expected}"
        try:
            if _hash(path) != fact.get("hash"):
                return f"{name} does not match its hash"
        except OSError as error:
            return f"{name} cannot be read: {error.strerror}"
    return ""


@dataclass(frozen=True)
class Usable:
    """The checkpoint to continue from."""

    path: Path | None
    """None when no checkpoint is whole."""
    damaged: tuple[str, ...]
    """A sentence for each younger one that is not."""


def newest_usable(folder: Path) -> Usable:
    """The newest checkpoint whose files are whole, by step."""
    damaged: list[str] = []
    for path in sorted(folder.glob(f"{STEP_PREFIX}*"), reverse=True):
        problem = damage(path)
        if not problem:
            return Usable(path, tuple(damaged))
        damaged.append(f"{path.name}: {problem}")
    return Usable(None, tuple(damaged))


def set_damaged_aside(folder: Path, newer_than: Path | None) -> None:
    """Rename checkpoints that `newest_usable` passed over.

    They would count as the newest ones when old checkpoints are removed. Nothing is deleted.
    """
    oldest = newer_than.name if newer_than is not None else ""
    for path in folder.glob(f"{STEP_PREFIX}*"):
        if path.name > oldest:
            aside = folder / f"{_DAMAGED}{path.name}"
            if aside.exists():
                shutil.rmtree(aside)
            path.rename(aside)


def mend_pointers(folder: Path, newest: Path | None) -> None:
    """Make `last` name the newest whole checkpoint, and remove pointers to what is not there."""
    if newest is not None and read_pointer(folder, "last") != newest.name:
        set_pointer(folder, "last", newest.name)
    for pointer in ("last", "best"):
        if not (folder / (read_pointer(folder, pointer) or "none")).exists():
            (folder / pointer).unlink(missing_ok=True)


def apply_retention(
    folder: Path,
    *,
    keep_last: int,
    keep_best: int,
    keep_every: int = 0,
    metric: str,
    sign: int = 1,
) -> list[str]:
    """Remove checkpoints that are not among the newest or the best, nor milestones.

    Args:
        folder: `checkpoints/` of a run.
        keep_last: How many of the newest stay; -1 keeps all.
        keep_best: How many with the best metric stay; the one named by `best` always does. Of
            equal ones the older is better, and one whose metric is not a number never is.
        keep_every: Checkpoints whose step is a multiple of it stay; 0: none for that.
        metric: The scalar in meta.json that decides.
        sign: 1 where a smaller value is better, -1 where a larger one is.

    Returns:
        Names of the folders removed.
    """
    names = sorted(path.parent.name for path in folder.glob(f"{STEP_PREFIX}*/{META}"))
    if keep_last < 0:
        return []
    scores = {name: _score(folder / name, metric) for name in names}
    ranked = sorted((sign * score, name) for name, score in scores.items() if score is not None)
    best = [name for _, name in (ranked if keep_best < 0 else ranked[:keep_best])]
    milestones = [name for name in names if keep_every and _step(name) % keep_every == 0]
    newest = names[-max(keep_last, 1) :]
    keep = {*newest, *best, *milestones, read_pointer(folder, "best")}
    removed = [name for name in names if name not in keep]
    for name in removed:
        # Renamed first: a job killed while deleting leaves no folder that looks complete.
        (folder / name).rename(folder / f"{_TEMPORARY}old-{name}")
    remove_leftovers(folder)
    return removed


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed job left half-written or half-deleted; for the holder of the lease."""
    restore_replaced(folder)
    for pattern in (_TEMPORARY, _REPLACED):
        for path in folder.glob(f"{pattern}*"):
            shutil.rmtree(path, ignore_errors=True)


def restore_replaced(folder: Path) -> None:
    """Put back checkpoints that were moved out of the way of a new one which never came."""
    for path in folder.glob(f"{_REPLACED}*"):
        final = folder / path.name.removeprefix(_REPLACED)
        if not final.exists():
            path.rename(final)


def _write_file(path: Path, write: Callable[[CheckedFile], None]) -> dict[str, object]:
    file = CheckedFile(path)
    try:
        write(file)
        file.sync()
    except RuntimeError:
        if file.failure is not None:
            raise file.failure from None
        raise
    finally:
        file.close()
    found = path.stat().st_size
    if found != file.size:
        raise OSError(errno.EIO, f"{found} bytes on the disk, {file.size} were written")
    return {"bytes": file.size, "hash": file.hash}


def _hash(path: Path) -> str:
    digest = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return f"{HASH}:{digest.hexdigest()}"


def _step(name: str) -> int:
    return int(name.removeprefix(STEP_PREFIX))


def _score(checkpoint: Path, metric: str) -> float | None:
    metrics = read_json(checkpoint / META).get("metrics")
    value = number(metrics.get(metric)) if isinstance(metrics, dict) else None
    return value if value is not None and value == value else None


def _not_saved(folder: Path, name: str, error: OSError) -> CodecctlError:
    last = read_pointer(folder, "last")
    kept = f"{last} is kept" if last else "there is no older one"
    if error.errno in _FULL:
        free = f"{shutil.disk_usage(folder).free / 1e6:.0f} MB free"
        limit = "above the limit on a file's size (ulimit -f)"
        room = limit if error.errno == errno.EFBIG else free
        reason = f"disk or quota full ({error.strerror}, {room})"
        fix = "free some space and continue with --resume"
    else:
        reason, fix = str(error), "continue with --resume when the disk works again"
    return CodecctlError(f"{folder / name}: checkpoint not saved: {reason}; {kept}; {fix}")
