"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path


def write_text_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Put `text` at `path`: readers see the old file or the new one, never a part.

    Args:
        path: Where; the folder has to exist.
        text: The whole content.
        durable: Wait for the disk, so that the file survives a power failure.
    """
    beside = path.with_name(f".{path.name}.tmp-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_json_atomically(path: Path, value: object) -> None:
    """Put an indented JSON document at `path`, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text_atomically(path, text + "\n")


def sync_folder(folder: Path) -> None:
    """Make names made, renamed or removed in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
