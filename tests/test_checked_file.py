"""Files of checkpoints, by blocks small enough to write many: what is on the disk, hash, errors."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest
import xxhash

from codecctl.engine import checked_file
from codecctl.engine.checked_file import CheckedFile
from codecctl.engine.checkpoint_files import write_checkpoint
from codecctl.errors import CodecctlError

BLOCK = 1 << 13
SIZES = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 5 * BLOCK + 4097)
PIECES = (1, 64, 4096, 3 * BLOCK + 5)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked_file, "_BLOCK_BYTES", BLOCK)


def written(path: Path, data: bytes, *, piece: int) -> CheckedFile:
    with CheckedFile(path) as file:
        for start in range(0, len(data), piece):
            file.write(data[start : start + piece])
        file.sync()
    return file


@pytest.mark.parametrize("size", SIZES)
def test_it_holds_what_was_given_and_knows_its_hash(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    for piece in PIECES[size > 1000 :]:
        file = written(tmp_path / "a", data, piece=piece)
        assert (tmp_path / "a").read_bytes() == data
        assert file.size == size
        assert file.hash == f"xxh3-128:{xxhash.xxh3_128(data).hexdigest()}"


def test_whole_blocks_pass_the_page_cache_where_the_disk_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[tuple[int, bool]] = []
    write = CheckedFile._write_some

    def noted(file: CheckedFile, view: memoryview) -> int:
        ways.append((len(view), file._is_direct()))
        return write(file, view)

    monkeypatch.setattr(CheckedFile, "_write_some", noted)
    with CheckedFile(tmp_path / "probe") as file:
        file._set_direct(True)
        allowed = file._is_direct()
    written(tmp_path / "a", bytes(2 * BLOCK + 7), piece=100)
    assert ways == [(BLOCK, allowed), (BLOCK, allowed), (7, False)]


def test_a_disk_that_refuses_direct_writes_is_written_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    direct = [False]
    refused: list[int] = []

    def refuse(handle: int, view: memoryview) -> int:
        if direct[0]:
            refused.append(len(view))
            raise OSError(errno.EINVAL, "Invalid argument")
        return write(handle, view)

    monkeypatch.setattr(os, "write", refuse)
    monkeypatch.setattr(CheckedFile, "_is_direct", lambda _: direct[0])
    monkeypatch.setattr(CheckedFile, "_set_direct", lambda _, wanted: direct.__setitem__(0, wanted))
    data = os.urandom(3 * BLOCK + 9)
    written(tmp_path / "a", data, piece=1000)
    assert refused == [BLOCK]
    assert (tmp_path / "a").read_bytes() == data


def test_a_system_without_direct_writes_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked_file, "_DIRECT", 0)
    data = os.urandom(3 * BLOCK + 9)
    written(tmp_path / "a", data, piece=1000)
    assert (tmp_path / "a").read_bytes() == data


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_an_error_of_the_disk_is_told_though_another_thread_meets_it(
    tmp_path: Path, blocks: int
) -> None:
    """The limit lies within a block, so that a part of it is written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def write(file: CheckedFile) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (blocks * BLOCK - 4000, hard))
        for _ in range(6):
            file.write(bytes(BLOCK))

    try:
        with pytest.raises(CodecctlError, match=r"disk or quota full \(File too large, above"):
            write_checkpoint(tmp_path, "step-000000001", files={"a": write}, meta={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_shorter_than_what_was_given_is_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: CheckedFile) -> None:
        file.write(b"12345")

    monkeypatch.setattr(CheckedFile, "sync", lambda _: None)
    with pytest.raises(CodecctlError, match="0 bytes on the disk, 5 were written; there is no"):
        write_checkpoint(tmp_path, "step-000000001", files={"a": write}, meta={})


def test_an_interrupted_writer_lets_go_of_its_file(tmp_path: Path) -> None:
    def fail(file: CheckedFile) -> None:
        file.write(bytes(3 * BLOCK))
        raise KeyboardInterrupt

    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, "step-000000001", files={"a": fail}, meta={})
    assert sorted(Path("/proc/self/fd").iterdir()) == before
    assert list(tmp_path.iterdir()) == []
