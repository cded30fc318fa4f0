"""A file or a folder of files that appears whole or not at all; needs no torch."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from codecctl.engine.files import sync_folder
from codecctl.errors import CodecctlError, UsageError


def refuse_taken(target: Path, *, names: tuple[str, ...], force: bool) -> None:
    """Refuse a target that exists, or that replacing would destroy more than an export.

    Args:
        target: A file, or a folder of files.
        names: Of the files in the folder; ("",) where the target is a file.
        force: Replace an earlier export.

    Raises:
        UsageError: Says what is in the way.
    """
    if not target.exists():
        return
    if not force:
        raise UsageError(
            f"{target}: exists already; choose another with -o, or replace it: --force"
        )
    folder = names != ("",)
    if folder != target.is_dir():
        found, needed = ("a folder", "a file") if target.is_dir() else ("a file", "a folder")
        raise UsageError(f"{target}: found {found}, needed {needed} of an earlier export")
    others = (
        sorted(path.name for path in target.iterdir() if path.name not in names) if folder else ()
    )
    if others:
        raise UsageError(
            f"{target}: found {others[0]}, which is of no export; --force would delete it: choose "
            "another folder with -o"
        )


def write_export(target: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a new folder `target`, or one named "" at `target`, in place of an old one.

    Raises:
        CodecctlError: The disk does not take it; what was there is as it was.
    """
    beside = target.with_name(f".{target.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    replaced = beside.with_name(f"{beside.name}-replaced")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if set(files) == {""}:
            _write(beside, files[""])
            beside.replace(target)
        else:
            beside.mkdir()
            for name, content in files.items():
                _write(beside / name, content)
            if target.exists():
                target.rename(replaced)
            beside.rename(target)
        sync_folder(target.parent)
    except BaseException as error:
        if replaced.exists() and not target.exists():
            replaced.rename(target)
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise CodecctlError(
                f"{target}: not written: {reason}; free some space or choose another with -o"
            ) from error
        raise
    finally:
        _remove(beside)
        _remove(replaced)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    with suppress(OSError):  # the error that led here says more
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
