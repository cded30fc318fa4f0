"""A small sample of `benchmarks/soak/ingest_kills.py` and `benchmarks/soak/full_disk.py`."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..faults import (
    content,
    finish,
    half_written,
    hidden,
    kill,
    make_corpus,
    require_converged,
    start,
    wait_for_bytes,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "corpus"
    return make_corpus(folder, recordings=5, channels=8, seconds=8.0)


@pytest.fixture(scope="module")
def undisturbed(
    corpus: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, bytes], int]:
    """What the store has to hold, and the bytes that an ingest writes."""
    home = tmp_path_factory.mktemp("undisturbed")
    process = start(home, corpus)
    written = wait_for_bytes(process, 2**60)
    assert finish(process)[0] == 0
    return dict(content(home)), written


@pytest.mark.parametrize("number", range(5))
def test_an_ingest_killed_after_any_byte_is_finished_by_the_next(
    corpus: Path, undisturbed: tuple[dict[str, bytes], int], tmp_path: Path, number: int
) -> None:
    whole, written = undisturbed
    process = start(tmp_path, corpus)
    wait_for_bytes(process, random.Random(number).randrange(1, written))
    kill(process, parent_alone=number % 2 == 0)
    assert half_written(tmp_path) == []
    require_converged(tmp_path, corpus, whole)


def test_a_limit_that_only_some_recordings_keep_ends_with_one_line(
    corpus: Path, undisturbed: tuple[dict[str, bytes], int], tmp_path: Path
) -> None:
    whole, _ = undisturbed
    code, complaint = finish(start(tmp_path, corpus, limit="ulimit -f 2300"))
    assert (code, half_written(tmp_path), hidden(tmp_path)) == (1, [], [])
    assert "file size limit reached: needed" in complaint
    assert "Traceback" not in complaint
    require_converged(tmp_path, corpus, whole)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a file system in memory can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_others_fill_ends_with_one_line(
    corpus: Path, undisturbed: tuple[dict[str, bytes], int], small_disk: Path
) -> None:
    whole, written = undisturbed
    filler = small_disk / "of another"
    process = start(small_disk, corpus)
    wait_for_bytes(process, written // 20)
    with filler.open("wb") as file:
        space = os.statvfs(small_disk)
        os.posix_fallocate(file.fileno(), 0, max(1, space.f_bavail * space.f_frsize))
    code, complaint = finish(process)
    assert (code, half_written(small_disk)) == (1, [])
    assert "disk full: needed" in complaint
    assert "Traceback" not in complaint
    filler.unlink()
    require_converged(small_disk, corpus, whole)
