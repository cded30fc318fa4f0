"""Where stores and runs live: below the working directory, or below `CODECCTL_HOME`."""

from __future__ import annotations

import os
from pathlib import Path

from codecctl.errors import DataError, NotFoundError


def home() -> Path:
    """The folder that holds `stores` and `runs`: `CODECCTL_HOME`, else the working directory."""
    return Path(os.environ.get("CODECCTL_HOME") or ".")


def stores_folder() -> Path:
    """Where `data ingest` writes stores and every command looks for their names."""
    return home() / "stores"


def runs_folder() -> Path:
    """Where `train` writes runs and every command looks for their names."""
    return home() / "runs"


def find_store(name: str) -> Path:
    """The folder of a store given by name or path.

    Raises:
        NotFoundError: Neither exists, or an ingest has not finished it; names the stores that do.
        DataError: The folder may not be read.
    """
    try:
        _require_finished(name)
        return _find(name, stores_folder(), marker="index.json", kind="store")
    except PermissionError as error:
        raise DataError(f"{error.filename}: cannot read: {error.strerror}") from error


def find_run(name: str) -> Path:
    """The folder of a run given by name or path.

    Raises:
        NotFoundError: Neither exists; names the runs that do.
    """
    return _find(name, runs_folder(), marker="profile.json", kind="run")


def _require_finished(name: str) -> None:
    for folder in (stores_folder() / name, Path(name)):
        if (folder / "rec").is_dir() and not (folder / "index.json").exists():
            raise NotFoundError(
                f"{folder}: no index yet: an ingest is writing it or was interrupted; the same "
                "`codecctl data ingest` finishes it"
            )


def _find(name: str, folder: Path, *, marker: str, kind: str) -> Path:
    for candidate in (folder / name, Path(name)):
        if (candidate / marker).is_file():
            return candidate
    have = sorted(path.parent.name for path in folder.glob(f"*/{marker}"))
    listing = f"have: {', '.join(have)}" if have else f"{folder} holds none"
    raise NotFoundError(f"{name}: no {kind} of this name or path; {listing}")
