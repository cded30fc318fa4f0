"""Requests to the process that trains a run: files in control/, from any node of a shared disk.

    control/save    {"schema": 1, "user": "ann", "host": "login1", "time": 1800000000.0}

The name of the file is the request. An empty file, made with `touch`, is one too: it was asked
by its owner, when it was made. Imports no torch.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.files import write_json_atomically
from codecctl.engine.rows import number
from codecctl.engine.runlist import read_json
from codecctl.errors import NotFoundError

REQUESTS = ("save", "stop")
FOLDER = "control"
_SCHEMA = 1


@dataclass(frozen=True)
class Request:
    """Something that was asked for and not served yet."""

    name: str
    user: str
    host: str
    """"" where the file does not say."""
    time: float
    """Unix time in seconds."""

    @property
    def by(self) -> str:
        """Who asked, as `user@host`."""
        return f"{self.user}@{self.host}" if self.host else self.user


def request(run: Path, name: str) -> None:
    """Ask the process that trains a run to "save" or "stop", from any node.

    Raises:
        NotFoundError: There is no such run.
        OSError: The folder may not be written.
    """
    assert name in REQUESTS, name
    said = {"schema": _SCHEMA, "user": user_name(os.getuid()), "host": socket.gethostname()}
    try:
        (run / FOLDER).mkdir(exist_ok=True)
        write_json_atomically(run / FOLDER / name, said | {"time": time.time()})
    except FileNotFoundError:
        raise NotFoundError(f"{run}: no such run") from None


def pending_requests(run: Path) -> tuple[str, ...]:
    """Names of requests that the training process has not served yet, in the order save, stop."""
    return tuple(name for name in REQUESTS if (run / FOLDER / name).exists())


def read_requests(run: Path, names: Sequence[str] = REQUESTS) -> tuple[Request, ...]:
    """The requests that the training process has not served yet, and who asked."""
    found = (_read(run / FOLDER / name) for name in names)
    return tuple(each for each in found if each is not None)


def user_name(uid: int) -> str:
    """The name of a user, or the number where this machine knows no name (NFS, containers)."""
    try:
        if uid == os.getuid():
            return getpass.getuser()
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return str(uid)


def _read(path: Path) -> Request | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    said = read_json(path)
    moment = number(said.get("time"))
    return Request(
        name=path.name,
        user=str(said.get("user") or user_name(status.st_uid)),
        host=str(said.get("host") or ""),
        time=status.st_mtime if moment is None else moment,
    )
