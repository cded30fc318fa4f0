"""Which runs read a store; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.lease import ACTIVE
from codecctl.engine.runlist import list_runs, read_json


@dataclass(frozen=True)
class StoreUser:
    """A run that was started on a store."""

    name: str
    is_alive: bool
    """A job trains it right now, by its heartbeat."""
    where: str
    """Process and host of the job."""


def users_of(store_folder: Path, runs_folder: Path) -> list[StoreUser]:
    """The runs below a folder that name a store by its path, the newest first."""
    wanted = store_folder.resolve()
    users = []
    for run in list_runs(runs_folder):
        store = read_json(run.path / "environment.json").get("store")
        path = str(store.get("path", "")) if isinstance(store, dict) else ""
        if path and Path(path).resolve() == wanted:
            where = f"process {run.state.pid} on {run.state.host}"
            users.append(StoreUser(run.name, run.status in ACTIVE, where))
    return users
