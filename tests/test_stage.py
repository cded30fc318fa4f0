"""A copy of a store on another disk: whole, verified, gone on with, and shared."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from codecctl.datasets.folds import Method, make_folds
from codecctl.datasets.ingest_lock import StoreLock
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.split_file import named_split, new_split, remove_split, write_split
from codecctl.datasets.stage import Staged, stage
from codecctl.datasets.store import Store, read_index
from codecctl.datasets.windows import Window
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

from .small_stores import noise, write_small_store

NAMES = ("Beach.1", "Beach.2", "Park.1")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage") / "yard"
    write_small_store(folder, noise(NAMES, channels=3, frames=2005), rate=100)
    with Store.open(folder) as store:
        method = Method(validation=0.3)
        write_split(folder, new_split("third", method, store, make_folds(store, method)))
    (folder / "check.json").write_text("{}")
    return folder


@pytest.fixture
def source(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "stores" / "yard"))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return tmp_path / "local" / "disk"


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "staged.json"
    }


def test_the_copy_is_the_store_byte_for_byte(source: Path, disk: Path) -> None:
    done: list[int] = []
    staged = stage(source, disk, on_bytes=done.append)
    assert (staged.path, staged.copied, staged.kept) == (disk / "yard", NAMES, ())
    assert content(disk / "yard") == content(source)
    sizes = [info.file_size for info in read_index(source).recordings]
    assert sum(done) == sum(sizes) == staged.bytes_copied
    with Store.open(source) as here, Store.open(staged.path) as there:
        assert here.fingerprint == there.fingerprint
        assert named_split(here, "third") == named_split(there, "third")


def test_a_training_reads_the_same_batches(source: Path, disk: Path) -> None:
    staged = stage(source, disk)
    batches = []
    for folder in (source, staged.path):
        with Store.open(folder) as store:
            sampler = TrainSampler(
                store, NAMES, window=Window(frames=150, capsules=2), batch_size=4, seed=1
            )
            batches.append([sampler.batch(step) for step in range(3)])
    for here, there in zip(*batches, strict=True):
        assert here.items == there.items
        assert (here.audio == there.audio).all()


def test_a_complete_copy_is_left_alone(source: Path, disk: Path) -> None:
    def stamps() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in sorted((disk / "yard").rglob("*"))}

    stage(source, disk)
    before = stamps()
    again = stage(source, disk)
    assert (again.copied, again.kept, again.bytes_copied) == ((), NAMES, 0)
    assert stamps() == before


def test_what_a_killed_stage_left_is_gone_on_with(source: Path, disk: Path) -> None:
    whole = stage(source, disk).path
    (whole / "index.json").unlink()
    (whole / "rec/Beach.2.h5").unlink()
    os.truncate(whole / "rec/Park.1.h5", 1000)
    (whole / ".staging/rec").mkdir(parents=True)
    (whole / ".staging/rec/Beach.2.h5").write_bytes(b"half")
    assert stage(source, disk).copied == ("Beach.2", "Park.1")
    assert content(whole) == content(source)


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_an_interrupted_stage_shows_no_store(source: Path, disk: Path, blocks: int) -> None:
    left = blocks

    def stop(_: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(source, disk, num_jobs=1, on_bytes=stop)
    with pytest.raises(NotFoundError):
        Store.open(disk / "yard")
    assert len(stage(source, disk).copied) == 3 - blocks
    assert content(disk / "yard") == content(source)


def test_new_recordings_and_splits_follow(source: Path, disk: Path) -> None:
    stage(source, disk)
    write_small_store(
        source, noise((*NAMES, "Park.2"), channels=3, frames=2005), rate=100
    )  # the three are written again, with the same audio
    for name in NAMES:
        shutil.copy(disk / "yard" / "rec" / f"{name}.h5", source / "rec")
    remove_split(source, "third")
    _list_again(source)
    assert stage(source, disk).copied == ("Park.2",)
    assert content(disk / "yard") == content(source)


def _list_again(folder: Path) -> None:
    from codecctl.datasets.store import committed_recordings, write_index

    rows = list(committed_recordings(folder).values())
    write_index(folder, name="yard", sample_rate=100, dtype="int16", recordings=rows)


def test_another_state_of_the_store_is_not_replaced(source: Path, disk: Path) -> None:
    stage(source, disk)
    write_small_store(source, noise(NAMES, seed=1, channels=3, frames=2005), rate=100)
    before = content(disk / "yard")
    with pytest.raises(UsageError, match=r"another state of yard \(Beach\.1 is not the same\)"):
        stage(source, disk)
    assert content(disk / "yard") == before


def test_damage_of_the_source_is_named_and_the_rest_is_copied(source: Path, disk: Path) -> None:
    path = source / "rec/Beach.2.h5"
    offset = read_index(source).recordings[1].audio_offset
    with path.open("r+b") as file:
        file.seek(offset + 200)  # of the first channel's second second
        file.write(b"\xff\x00\xff\x00")
    os.truncate(source / "rec/Park.1.h5", 1000)
    with pytest.raises(DataError) as caught:
        stage(source, disk)
    assert "Beach.2.h5: damaged: Beach.2" in str(caught.value)
    assert "Park.1.h5: found 1000 bytes" in str(caught.value)
    assert sorted(path.name for path in (disk / "yard/rec").iterdir()) == ["Beach.1.h5"]
    assert not (disk / "yard/index.json").exists()


def test_stages_of_one_store_wait_for_each_other(source: Path, disk: Path) -> None:
    done: list[Staged] = []
    said: list[str] = []
    waits = threading.Event()

    def tell(text: str) -> None:
        said.append(text)
        waits.set()

    with StoreLock(disk / "yard"):
        thread = threading.Thread(target=lambda: done.append(stage(source, disk, tell=tell)))
        thread.start()
        assert waits.wait(10)
        assert not (disk / "yard/index.json").exists()
    thread.join(20)
    assert [staged.copied for staged in done] == [NAMES]
    assert said == [f"{disk / 'yard'}: another process writes it; waits for its end"]


def test_two_at_once_make_one_copy(source: Path, disk: Path) -> None:
    done: list[Staged] = []
    threads = [threading.Thread(target=lambda: done.append(stage(source, disk))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(staged.copied for staged in done) == [(), NAMES]
    assert content(disk / "yard") == content(source)


def test_what_is_no_copy_is_not_touched(source: Path, disk: Path) -> None:
    other = write_small_store(disk / "yard", noise(["Cafe.1"]))
    before = content(other)
    with pytest.raises(UsageError, match="is there and was not made by data stage"):
        stage(source, disk)
    assert content(other) == before
    with pytest.raises(UsageError, match="is the store itself"):
        stage(source, source.parent)
    with pytest.raises(UsageError, match="lies in the store"):
        stage(source, source / "copies")
    (disk / "file").parent.mkdir(exist_ok=True)
    shutil.rmtree(disk / "yard")
    (disk / "yard").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        stage(source, disk)


def test_a_disk_that_is_too_small_is_known_before_anything_is_copied(
    source: Path, disk: Path
) -> None:
    with pytest.raises(CodecctlError, match=r"yard: found 1 kB free, needed .*; free some, or"):
        stage(source, disk, free=lambda _: 1000)
    assert [path.name for path in (disk / "yard").iterdir()] == []
