from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.batch import Batch, Item
from codecctl.datasets.rated import at_rate
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.store import Store
from codecctl.errors import DataError

Maker = Callable[..., Path]
RATE = 100
LENGTHS = (550, 330, 1000)
ITEMS = (
    Item("Beach.1", 37, (3, 0, 1)),
    Item("Beach.2", 0, (2, 3, 1)),
    Item("Park.1", 700, (1, 0, 3)),
    Item("Park.1", 99, (2, 2, 0)),
)
FRAMES = 250


class Disk:
    """Counts reads; holds nothing in memory unless told so."""

    def __init__(self, *, resident: bool = False, failing: bool = False) -> None:
        self.resident = resident
        self.failing = failing
        self.calls: list[int] = []
        self.threads: set[int] = set()

    def __call__(
        self, descriptor: int, buffers: Sequence[memoryview], offset: int, flags: int = 0, /
    ) -> int:
        if flags and not self.resident:
            raise BlockingIOError
        self.calls.append(sum(map(len, buffers)))
        self.threads.add(threading.get_ident())
        if self.failing:
            raise OSError(5, "Input/output error")
        return os.preadv(descriptor, buffers, offset)


def noise(dtype: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    audio = {
        name: 0.1 * rng.standard_normal((4, frames))
        for name, frames in zip(("Beach.1", "Beach.2", "Park.1"), LENGTHS, strict=True)
    }
    if dtype == "pcm":
        return {name: np.rint(32767 * rows).astype(np.int32) for name, rows in audio.items()}
    return {name: rows.astype(np.float32) for name, rows in audio.items()}


def make(make_store: Maker, dtype: str) -> Path:
    options = {"bits": 24} if dtype == "pcm" else {}
    return make_store(noise(dtype), sample_rate=RATE, dtype=dtype, **options)


def one_by_one(store: Store) -> np.ndarray:
    return np.stack(
        [store.read(item.recording, item.start, FRAMES, item.channels) for item in ITEMS]
    )


@pytest.mark.parametrize("dtype", ["int16", "float32", "pcm"])
@pytest.mark.parametrize("resident", [True, False])
@pytest.mark.parametrize("io_threads", [1, 3])
@pytest.mark.parametrize("check_reads", [True, False])
def test_a_batch_is_what_single_reads_give_however_it_is_read(
    make_store: Maker, dtype: str, resident: bool, io_threads: int, check_reads: bool
) -> None:
    folder = make(make_store, dtype)
    with Store.open(folder) as plain:
        expected = one_by_one(plain)
    disk = Disk(resident=resident)
    with Store.open(folder, check_reads=check_reads, read_call=disk) as store:
        reader = WindowReader(store, frames=FRAMES, io_threads=io_threads)
        for _ in range(2):
            out = np.full((5, 3, FRAMES), np.nan, dtype=np.float32)
            peaks = reader.read(ITEMS, out, rows=[4, 0, 3, 1], enough=np.inf)
            np.testing.assert_array_equal(out[[4, 0, 3, 1]], expected)
            np.testing.assert_array_equal(peaks, np.abs(expected).max(axis=2))
            assert np.isnan(out[2]).all()  # nobody asked for it
        reader.close()
    here = threading.get_ident()
    assert (disk.threads == {here}) == (resident or io_threads == 1)


def test_peaks_beyond_what_is_enough_stay_beyond_it(make_store: Maker) -> None:
    with Store.open(make(make_store, "int16")) as store:
        reader = WindowReader(store, frames=FRAMES)
        out = np.empty((4, 3, FRAMES), dtype=np.float32)
        peaks = reader.read(ITEMS, out, enough=1e-4)
        exact = np.abs(out).max(axis=2)
        assert (peaks >= 1e-4).all() and (peaks <= exact).all()


def test_integers_and_their_steps_are_the_same_audio_to_the_last_bit(make_store: Maker) -> None:
    with Store.open(make(make_store, "int16")) as store:
        reader = WindowReader(store, frames=FRAMES)
        integers = np.empty((4, 3, FRAMES), dtype=np.int16)
        peaks = reader.read(ITEMS, integers, enough=np.inf)
        batch = Batch(integers, RATE, ITEMS, reader.steps(ITEMS))
        assert batch.steps is not None and batch.steps.values.shape == (4, 3, 4)
        expected = one_by_one(store)
        assert batch.audio.dtype == np.float32
        np.testing.assert_array_equal(batch.audio, expected)
        np.testing.assert_array_equal(peaks, np.abs(expected).max(axis=2))


def test_capsules_of_a_short_recording_come_in_one_read_over_their_gaps(
    make_store: Maker,
) -> None:
    folder = make(make_store, "int16")
    apart = 2 * 600  # six seconds, the last one padded
    disk = Disk()
    with Store.open(folder, read_call=disk) as store:
        reader = WindowReader(store, frames=FRAMES)
        out = np.empty((1, 3, FRAMES), dtype=np.float32)
        reader.read([Item("Beach.1", 37, (3, 0, 1))], out)
        assert disk.calls == [3 * apart + 2 * FRAMES]  # not more than from first to last
        disk.calls.clear()
        reader.read([Item("Beach.1", 37, (2, 2, 2))], out)
        assert disk.calls == 3 * [2 * FRAMES]  # once for each place that it goes to


def test_capsules_that_lie_far_apart_are_read_apart(make_store: Maker) -> None:
    audio = np.random.default_rng(0).standard_normal((3, 20_000)).astype(np.float32)
    disk = Disk()
    with Store.open(make_store({"Beach.1": audio}, sample_rate=RATE), read_call=disk) as store:
        out = np.empty((1, 3, FRAMES), dtype=np.float32)
        WindowReader(store, frames=FRAMES).read([Item("Beach.1", 0, (0, 2, 1))], out)
        assert disk.calls == 3 * [2 * FRAMES]
        disk.calls.clear()
        reader = WindowReader(store, frames=FRAMES, io_threads=2)  # the disk is far away, too
        reader.read([Item("Beach.1", 0, (0, 2, 1))], out)
        reader.close()
        assert disk.calls == [2 * 40_000 + 2 * FRAMES]


def test_a_batch_of_a_view_at_another_rate_is_read_as_that_reads(make_store: Maker) -> None:
    with Store.open(make(make_store, "int16")) as store:
        view = at_rate(store, 50)
        expected = [view.read(item.recording, item.start // 2, 60, [0, 3]) for item in ITEMS]
        items = [Item(item.recording, item.start // 2, (0, 3)) for item in ITEMS]
        for io_threads in (1, 3):
            reader = WindowReader(view, frames=60, io_threads=io_threads)
            out = np.empty((4, 2, 60), dtype=np.float32)
            peaks = reader.read(items, out)
            reader.close()
            np.testing.assert_array_equal(out, np.stack(expected))
            np.testing.assert_array_equal(peaks, np.abs(out).max(axis=2))


@pytest.mark.parametrize("io_threads", [1, 3])
def test_a_disk_that_fails_and_a_file_that_shrinks_are_errors(
    make_store: Maker, io_threads: int
) -> None:
    folder = make(make_store, "int16")
    out = np.empty((4, 3, FRAMES), dtype=np.float32)
    disk = Disk()
    with Store.open(folder, read_call=disk) as store:
        reader = WindowReader(store, frames=FRAMES, io_threads=io_threads)
        disk.failing = True
        with pytest.raises(DataError, match=r"1\.h5: cannot read: Input/output error"):
            reader.read([ITEMS[0], *ITEMS[2:]], out)
        disk.failing = False
        os.truncate(folder / "rec/Park.1.h5", 5000)
        with pytest.raises(DataError, match=r"Park\.1\.h5: truncated at byte"):
            reader.read(ITEMS, out)
        reader.close()


def test_a_window_outside_its_recording_is_refused(make_store: Maker) -> None:
    with Store.open(make(make_store, "int16")) as store:
        reader = WindowReader(store, frames=FRAMES)
        out = np.empty((1, 1, FRAMES), dtype=np.float32)
        with pytest.raises(DataError, match=r"Beach\.1: needed frames 301 to 551, found 550"):
            reader.read([Item("Beach.1", 301, (0,))], out)
        with pytest.raises(DataError, match=r"Beach\.1: needed channel index 4, found 4"):
            reader.read([Item("Beach.1", 0, (4,))], out)


def test_a_file_system_that_cannot_tell_what_it_holds_is_asked_once(make_store: Maker) -> None:
    asked = []

    def read(descriptor: int, buffers: Sequence[memoryview], offset: int, flags: int = 0, /) -> int:
        if flags:
            asked.append(offset)
            raise OSError(95, "Operation not supported")
        return os.preadv(descriptor, buffers, offset)

    with Store.open(make(make_store, "int16"), read_call=read) as store:
        reader = WindowReader(store, frames=FRAMES)
        out = np.empty((4, 3, FRAMES), dtype=np.float32)
        for _ in range(3):
            reader.read(ITEMS, out)
            np.testing.assert_array_equal(out, one_by_one(store))
    assert len(asked) == 1


def test_threads_may_share_a_reader_while_the_store_is_closed(make_store: Maker) -> None:
    folder = make(make_store, "int16")
    with Store.open(folder, read_call=Disk()) as store:
        expected = one_by_one(store)
        reader = WindowReader(store, frames=FRAMES, io_threads=2)
        wrong: list[int] = []

        def work(number: int) -> None:
            out = np.empty((4, 3, FRAMES), dtype=np.float32)
            for _ in range(20):
                reader.read(ITEMS, out)
                if not np.array_equal(out, expected):
                    wrong.append(number)
                if number == 0:
                    store.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        reader.close()
    assert wrong == []


def test_a_forked_process_reads_with_threads_of_its_own(make_store: Maker) -> None:
    folder = make(make_store, "int16")
    script = f"""
import os
from pathlib import Path
import numpy as np
from codecctl.datasets.batch import Item
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.store import Store
def read(descriptor, buffers, offset, flags=0):
    if flags:
        raise BlockingIOError
    return os.preadv(descriptor, buffers, offset)
store = Store.open(Path({str(folder)!r}), read_call=read)
items = [Item("Park.1", start, (0, 1)) for start in range(20)]
reader = WindowReader(store, frames=100, io_threads=3)
first = np.empty((20, 2, 100), np.float32)
reader.read(items, first)
child = os.fork()
if child == 0:
    out = np.empty_like(first)
    reader.read(items, out)
    reader.close()
    os._exit(0 if (out == first).all() else 1)
print(os.waitpid(child, 0)[1])
reader.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "0\n"
