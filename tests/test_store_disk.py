from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from codecctl.datasets.store.disk import (
    _reserve_by_free_space,
    free_bytes,
    remove_abandoned,
    reserve,
    size_text,
    temporary_path,
    write_all,
    write_error,
)
from codecctl.errors import CodecctlError


def test_reserved_bytes_are_on_the_disk_and_zero(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        reserve(file.fileno(), 1_000_000, path=path)
    assert path.stat().st_blocks * 512 >= 1_000_000
    assert path.read_bytes() == bytes(1_000_000)


def test_more_than_a_file_can_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with (
        path.open("wb") as file,
        pytest.raises(CodecctlError, match=r"(file size limit reached|disk full): needed 1\.15e"),
    ):
        reserve(file.fileno(), 1 << 60, path=path)
    assert path.stat().st_size == 0


def test_without_fallocate_the_free_space_decides(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        _reserve_by_free_space(file.fileno(), 1_000_000, path=path)
        assert path.stat().st_size == 1_000_000
        with pytest.raises(CodecctlError, match=r"disk full: needed .*, free "):
            _reserve_by_free_space(file.fileno(), 2 * free_bytes(path) + 1, path=path)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "disk full: needed 2 MB, free"),
        (errno.EDQUOT, "disk quota reached: needed 2 MB, free"),
        (errno.EIO, "cannot write: Input/output error"),
    ],
)
def test_disk_and_quota_are_told_alike_and_exit_one(
    tmp_path: Path, code: int, sentence: str
) -> None:
    error = write_error(OSError(code, os.strerror(code)), path=tmp_path / "file", needed=2_000_000)
    assert sentence in str(error)
    assert error.exit_code == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1540, "1.54 kB"), (59e9, "59 GB"), (1.2e15, "1.2e+03 TB")],
)
def test_sizes_are_short(count: float, text: str) -> None:
    assert size_text(count) == text


def test_a_write_lands_at_its_offset(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        write_all(file.fileno(), b"behind", 4)
        write_all(file.fileno(), memoryview(b"head"), 0)
    assert path.read_bytes() == b"headbehind"


def test_only_files_of_dead_writers_of_this_host_are_removed(tmp_path: Path) -> None:
    own = temporary_path(tmp_path / "Beach.1.h5")
    alive = own.with_name(own.name.replace(f"-{os.getpid()}", f"-{os.getppid()}"))
    dead = own.with_name(own.name.replace(f"-{os.getpid()}", "-4194999"))
    elsewhere = tmp_path / ".Beach.2.tmp-another-host-1-17"
    committed = tmp_path / "Beach.1.h5"
    for path in (own, alive, dead, elsewhere, committed):
        path.touch()
    assert remove_abandoned(tmp_path) == sorted([own.name, dead.name])
    assert set(tmp_path.iterdir()) == {alive, elsewhere, committed}
