"""Coding keeps no pages of a recording in the memory of the process, however long it is."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.disk import opened
from codecctl.engine.lossless.files import decode_file, encode_file
from codecctl.engine.lossless.samples import lay_out, let_go
from codecctl.errors import CodecctlError

from .lossless_models import exact
from .test_lossless_arrays import field, write_wav

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason=f"{sys.platform} does not list pages of a process"
)


def resident(folder: Path) -> list[int]:
    """KiB in memory of each mapped file of a folder."""
    listed = Path("/proc/self/smaps").read_text(encoding="utf-8")
    found = re.findall(rf"{re.escape(str(folder))}/.*\n(?:[^\n]*\n)*?Rss: +(\d+) kB", listed)
    return [int(size) for size in found]


def test_what_was_read_or_written_is_let_go_and_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(1 << 20))
    mapped = np.memmap(path, np.uint8, "r+")
    mapped[:] = 7
    assert resident(tmp_path)[0] > 0
    let_go(mapped)
    assert resident(tmp_path) == [0]
    assert int(mapped.sum()) == 7 << 20 and set(path.read_bytes()) == {7}
    let_go(np.zeros(3))  # of a recording without samples


@pytest.mark.parametrize("reserves", [True, False])
def test_room_on_the_disk_is_taken_before_samples_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reserves: bool
) -> None:
    """On a full disk a process that writes into a mapping without room is killed."""
    wav, coded = write_wav(tmp_path / "a.wav", field(40000, 2), 16), tmp_path / "a.cctl"
    encode_array(wav, coded)
    with opened(coded) as reader:
        if not reserves:
            monkeypatch.delattr(os, "posix_fallocate")
        lay_out(tmp_path / "b.wav", reader.header, reader.verbatim)
    taken = (tmp_path / "b.wav").stat()
    assert taken.st_size == wav.stat().st_size
    assert taken.st_blocks * 512 >= taken.st_size


def test_a_full_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav, coded = write_wav(tmp_path / "a.wav", field(4000, 2), 16), tmp_path / "a.cctl"
    encode_array(wav, coded)

    def refuse(_file: int, _start: int, _count: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(CodecctlError, match=r"b\.wav: cannot be written: No space left"):
        decode_array(coded, tmp_path / "b.wav")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cctl", "a.wav"]


@pytest.mark.long
def test_segments_and_chunks_leave_no_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecctl.engine.lossless.arrays.MOST_FRAMES", 1 << 12)
    seen: list[list[int]] = []

    def look(_count: int) -> None:
        seen.append(resident(tmp_path))

    wav = write_wav(tmp_path / "a.wav", field(3 << 12, 2), 16)
    encode_array(wav, tmp_path / "a.cctl", advance=look)
    decode_array(tmp_path / "a.cctl", tmp_path / "b.wav", advance=look)
    assert seen == [[0]] * 6 and (tmp_path / "b.wav").read_bytes() == wav.read_bytes()
    seen.clear()
    wav = write_wav(tmp_path / "c.wav", field(5000, 1)[:4500] >> 8, 8)
    encode_file(wav, tmp_path / "c.cctl", exact(8), block=1024, at_once=2, advance=look)
    decode_file(tmp_path / "c.cctl", tmp_path / "d.wav", exact(8), at_once=2, advance=look)
    assert len(seen) > 100 and seen == [[0]] * len(seen)
    assert (tmp_path / "d.wav").read_bytes() == wav.read_bytes()
