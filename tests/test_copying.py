"""The bytes of a file arrive whichever way the kernel allows."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.copying import WAYS, Way, by_range, by_reading, by_sendfile, copy_file
from codecctl.errors import CodecctlError, DataError

SIZE = 300_001


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(np.random.default_rng(0).bytes(SIZE))
    return path


def refused(_source: int, _target: int, _count: int, _offset: int) -> int:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def silent(_source: int, _target: int, _count: int, _offset: int) -> int:
    return 0


def short(source: int, target: int, count: int, offset: int) -> int:
    return by_reading(source, target, min(count, 1000), offset)


@pytest.mark.parametrize(
    "ways",
    [
        WAYS,
        (by_range,),
        (by_sendfile,),
        (by_reading,),
        (refused, refused, by_reading),
        (silent, short),
    ],
)
def test_every_way_copies_every_byte(source: Path, tmp_path: Path, ways: tuple[Way, ...]) -> None:
    done: list[int] = []
    copy_file(source, tmp_path / "copy", SIZE, done.append, ways=ways)
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert sum(done) == SIZE


def test_a_source_that_ends_early_or_is_not_there_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"source: truncated at byte 300001, needed 300002"):
        copy_file(source, tmp_path / "copy", SIZE + 1, lambda _: None)
    with pytest.raises(DataError, match=r"gone: cannot be opened: No such file"):
        copy_file(tmp_path / "gone", tmp_path / "copy", SIZE, lambda _: None)


def test_a_disk_that_is_full_is_told_before_the_first_byte(source: Path, tmp_path: Path) -> None:
    with pytest.raises(CodecctlError, match=r"disk full|file size limit"):
        copy_file(source, tmp_path / "copy", 1 << 62, lambda _: None)
