from __future__ import annotations

import errno
import json
import os
import socket
import time
from pathlib import Path

import pytest

from codecctl.datasets import ingest_lock
from codecctl.datasets.ingest_lock import LOCK_NAME, STALE_SECONDS, StoreLock
from codecctl.errors import CodecctlError


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_lock, "_PATIENCE_SECONDS", 0.0)


def refused(_: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def leave(folder: Path, *, host: str, pid: int, age: float = 0.0) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / LOCK_NAME
    path.write_text(json.dumps({"host": host, "pid": pid}))
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))


def test_a_store_is_held_by_one_ingest_and_free_afterwards(tmp_path: Path) -> None:
    with StoreLock(tmp_path / "s") as lock:
        assert lock.descriptor >= 0
        with pytest.raises(CodecctlError, match=rf"process {os.getpid()} on "):
            StoreLock(tmp_path / "s").__enter__()
    assert list((tmp_path / "s").iterdir()) == []
    with StoreLock(tmp_path / "s"):
        pass


def test_the_lock_lasts_until_the_last_process_that_inherited_it(tmp_path: Path) -> None:
    with StoreLock(tmp_path) as lock:
        inherited = os.dup(lock.descriptor)  # as a worker has it
        content = (tmp_path / LOCK_NAME).read_bytes()
        os.close(lock.descriptor)  # as a kill does: the file stays
        lock.descriptor = os.dup(inherited)
        with pytest.raises(CodecctlError, match="another ingest writes this store"):
            StoreLock(tmp_path).__enter__()
        assert (tmp_path / LOCK_NAME).read_bytes() == content
        os.close(inherited)


def test_what_a_killed_ingest_of_this_machine_left_is_taken_over(tmp_path: Path) -> None:
    leave(tmp_path, host=socket.gethostname(), pid=os.getppid())
    with StoreLock(tmp_path):
        assert json.loads((tmp_path / LOCK_NAME).read_bytes())["pid"] == os.getpid()


def test_another_machine_is_believed_until_it_is_silent_for_a_minute(tmp_path: Path) -> None:
    leave(tmp_path, host="elsewhere", pid=1)
    with pytest.raises(CodecctlError, match="process 1 on elsewhere"):
        StoreLock(tmp_path).__enter__()
    leave(tmp_path, host="elsewhere", pid=1, age=STALE_SECONDS + 1)
    with StoreLock(tmp_path):
        pass


def test_where_the_file_system_has_no_locks_the_living_process_decides(tmp_path: Path) -> None:
    leave(tmp_path, host=socket.gethostname(), pid=os.getppid())
    with pytest.raises(CodecctlError, match="another ingest writes this store"):
        StoreLock(tmp_path, lock=refused).__enter__()
    leave(tmp_path, host=socket.gethostname(), pid=2**22 + 1)  # above the highest number there is
    with StoreLock(tmp_path, lock=refused) as lock:
        lock.renew()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so() -> None:
    with pytest.raises(CodecctlError, match=r"/proc/stores: cannot write"):
        StoreLock(Path("/proc/stores")).__enter__()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"host": 1}', '{"host": "x", "pid": "y"}'])
def test_a_damaged_lock_file_holds_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK_NAME).write_text(content)
    with StoreLock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text() != content


def test_a_full_disk_leaves_no_lock_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(CodecctlError, match="cannot write: No space left on device"):
        StoreLock(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_waits_itself_does_not_use_up_the_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_lock, "_PATIENCE_SECONDS", 1.0)
    hour = iter(range(0, 36_000, 3600))
    monkeypatch.setattr(time, "monotonic", lambda: next(hour))
    calls = []

    def wait(_: int) -> None:
        """The holder before takes its file away at its end."""
        calls.append(next(hour))
        if len(calls) == 1:
            (tmp_path / LOCK_NAME).unlink()

    with StoreLock(tmp_path, lock=wait):
        assert len(calls) == 2
