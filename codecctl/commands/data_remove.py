"""`codecctl data remove` and `data rename`: stores go, or get another name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import NotFoundError, UsageError
from codecctl.locations import find_store, runs_folder, stores_folder
from codecctl.output import note

if TYPE_CHECKING:
    from codecctl.engine.store_users import StoreUser

_SHOWN = 4


def remove(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a store; files that are no part of it stay.

    Also what an ingest has left that never finished.
    """
    from codecctl.datasets.removal import belongings, remove_store
    from codecctl.datasets.store import size_text

    folder = _find(store)
    found = belongings(folder)
    users = _users(folder)
    size = size_text(found.size)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"{folder}: not removed; say --yes where nobody can be asked")
        if not typer.confirm(
            f"remove {folder} ({found.num_recordings} recordings, {size})?", err=True
        ):
            return
    found = remove_store(folder)
    note(f"{folder}: removed, {found.num_recordings} recordings, {size}")
    if found.strangers:
        note(f"{folder}: left {_few([str(path) for path in found.strangers])}: no files of a store")
    if users:
        note(f"runs that cannot go on without it: {_few([user.name for user in users])}")


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Name or folder of a store.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
) -> None:
    """Give a store another name; splits go with it."""
    from codecctl.datasets.naming import sanitized
    from codecctl.datasets.removal import rename_store

    if not new or new != sanitized(new) or new.startswith((".", "-")):
        raise UsageError(f"{new!r}: needed letters, digits and - _ . +, such as eigenscape")
    folder = find_store(old)
    users = _users(folder)
    target = rename_store(folder, new)
    note(f"{folder}: is {target} now")
    if users:
        names = _few([user.name for user in users])
        note(f"runs that know it by its old place go on with data.store={new}: {names}")


def _find(store: str) -> Path:
    """The folder of a store, also of one that has no index."""
    try:
        return find_store(store)
    except NotFoundError:
        for candidate in (stores_folder() / store, Path(store)):
            if candidate.is_dir():
                return candidate
        raise


def _users(folder: Path) -> list[StoreUser]:
    """The runs that were trained on a store.

    Raises:
        UsageError: One of them is training.
    """
    from codecctl.engine.store_users import users_of

    users = users_of(folder, runs_folder())
    for user in users:
        if user.is_alive:
            raise UsageError(
                f"{folder}: run {user.name} trains on it ({user.where}); stop it first: codecctl "
                f"runs stop {user.name}"
            )
    return users


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
