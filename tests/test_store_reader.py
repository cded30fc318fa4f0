from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.datasets.store import Store, committed_recordings, write_index
from codecctl.datasets.store.reader import MAX_OPEN_FILES
from codecctl.errors import DataError, NotFoundError

Maker = Callable[..., Path]
RATE = 100


def noise(channels: int, frames: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


@pytest.fixture
def folder(make_store: Maker) -> Path:
    audio = {"Beach.1": noise(4, 550), "Beach.2": noise(3, 70, seed=1)}
    return make_store(audio, sample_rate=RATE)


def through_hdf5(folder: Path, name: str) -> np.ndarray:
    with h5py.File(folder / f"rec/{name}.h5", "r", locking=False) as file:
        audio: np.ndarray = file["audio"][...]
        scale = np.repeat(file["scale"][...], RATE, axis=1)[:, : audio.shape[1]]
    samples: np.ndarray = audio.astype(np.float32) * scale
    return samples


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_span_equals_what_hdf5_reads(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "spans"
    if not (folder / "index.json").exists():
        _write_one(folder, noise(4, 550))
    start = data.draw(st.integers(0, 549))
    frames = data.draw(st.integers(0, 550 - start))
    channels = data.draw(st.lists(st.integers(0, 3), max_size=5))
    with Store.open(folder) as store:
        found = store.read("Beach.1", start, frames, channels)
    expected = through_hdf5(folder, "Beach.1")[channels, start : start + frames]
    np.testing.assert_array_equal(found, expected)


def _write_one(folder: Path, audio: np.ndarray) -> None:
    from codecctl.datasets.store import RecordingWriter, SourceFacts

    with RecordingWriter(
        folder,
        name="Beach.1",
        scene="Beach",
        take="1",
        array="em32",
        channels=len(audio),
        frames=audio.shape[1],
        sample_rate=RATE,
        dtype="int16",
        source=SourceFacts("b.wav", RATE, 16, audio.shape[1], 0, 0.0),
        labels=[""] * len(audio),
    ) as writer:
        writer.write(audio)
        row = writer.commit()
    write_index(folder, name="s", sample_rate=RATE, dtype="int16", recordings=[row])


def test_a_file_that_another_program_rewrote_is_no_recording(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    with h5py.File(path, "r", locking=False) as old, h5py.File(folder / "new", "w") as new:
        for part in old:
            old.copy(part, new)
        for key, value in old.attrs.items():
            new.attrs[key] = value
    (folder / "new").replace(path)
    assert sorted(committed_recordings(folder)) == ["Beach.2"]
    with pytest.raises(DataError, match=r"Beach\.1\.h5: (truncated|damaged): .*; ingest again"):
        Store.open(folder)


def test_a_given_array_is_filled(folder: Path) -> None:
    with Store.open(folder) as store:
        out = np.empty((2, 3, 120), dtype=np.float32)
        assert store.read("Beach.1", 95, 120, (2, 0, 1), out[1]) is not None
        np.testing.assert_array_equal(out[1], store.read("Beach.1", 95, 120, (2, 0, 1)))


def test_a_float32_store_reads_what_was_written(make_store: Maker) -> None:
    audio = noise(2, 250)
    with Store.open(make_store({"Park.1": audio}, sample_rate=RATE, dtype="float32")) as store:
        np.testing.assert_array_equal(store.read("Park.1", 50, 150, [1]), audio[1:, 50:200])


@pytest.mark.parametrize(
    ("start", "frames", "channels", "sentence"),
    [
        (0, 551, [0], "needed frames 0 to 551, found 550 frames"),
        (-1, 10, [0], "needed frames -1 to 9, found 550"),
        (0, 10, [4], "needed channel index 4, found 4 channels"),
        (0, 10, [-1], "needed channel index -1, found 4 channels"),
    ],
)
def test_what_is_not_there_is_refused(
    folder: Path, start: int, frames: int, channels: list[int], sentence: str
) -> None:
    with Store.open(folder) as store, pytest.raises(DataError, match=f"Beach.1: {sentence}"):
        store.read("Beach.1", start, frames, channels)


def test_an_unknown_recording_is_not_found(folder: Path) -> None:
    with Store.open(folder) as store, pytest.raises(NotFoundError, match="no recording of this"):
        store.read("Beach.9", 0, 1, [0])


def test_one_second_of_one_channel_reads_its_own_bytes_only(make_store: Maker) -> None:
    rate = 24000
    audio = np.broadcast_to(0.1 * noise(1, 10 * rate), (32, 10 * rate))
    with Store.open(make_store({"Beach.1": audio}, sample_rate=rate)) as store:
        store.read("Beach.1", 0, 1, [0])  # opens the file
        before = bytes_read()
        assert store.read("Beach.1", 12345, rate, [17]).shape == (1, rate)
        assert bytes_read() - before <= 2 * rate + 1000  # the counter itself is read too


def test_opening_a_store_of_ten_minute_recordings_reads_no_audio(make_store: Maker) -> None:
    """As many chunks as at 24 kHz, where the second of 32 capsules itself is 1.5 MB."""
    rate = 400
    audio = np.broadcast_to(0.1 * noise(1, 600 * rate), (32, 600 * rate))
    folder = make_store({"Beach.1": audio}, sample_rate=rate)
    assert (folder / "rec/Beach.1.h5").stat().st_size > 15_000_000
    before = bytes_read()
    with Store.open(folder) as store:
        assert store.read("Beach.1", 598 * rate + 1, rate, range(32)).shape == (32, rate)
    assert bytes_read() - before < 600_000


def bytes_read() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def test_a_truncated_recording_is_named_when_the_store_is_opened(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    size = path.stat().st_size
    os.truncate(path, size - 1)
    with pytest.raises(
        DataError, match=rf"Beach\.1\.h5: truncated: found {size - 1} bytes, needed {size}"
    ):
        Store.open(folder)


def test_a_recording_that_is_gone_is_named(folder: Path) -> None:
    (folder / "rec/Beach.2.h5").unlink()
    with pytest.raises(DataError, match=r"Beach\.2\.h5: missing, though the index lists it"):
        Store.open(folder)
    with (
        Store.open(folder, check=False) as store,
        pytest.raises(NotFoundError, match=r"Beach\.2\.h5: missing"),
    ):
        store.read("Beach.2", 0, 1, [0])


def test_a_recording_that_shrinks_while_it_is_open_is_no_silence(folder: Path) -> None:
    with Store.open(folder) as store:
        store.read("Beach.1", 0, 550, [0])
        os.truncate(folder / "rec/Beach.1.h5", 5000)
        with pytest.raises(DataError, match="truncated at byte 5000"):
            store.read("Beach.1", 0, 550, [0])


def test_threads_read_at_the_same_time(folder: Path) -> None:
    expected = through_hdf5(folder, "Beach.1")
    wrong = []

    def work(store: Store, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(100):
            start, channel = int(rng.integers(0, 300)), int(rng.integers(0, 4))
            found = store.read("Beach.1", start, 250, [channel])[0]
            if not np.array_equal(found, expected[channel, start : start + 250]):
                wrong.append((start, channel))
            if seed == 0:
                store.close()  # others are reading

    with Store.open(folder) as store:
        threads = [threading.Thread(target=work, args=(store, seed)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_store_may_be_pickled(folder: Path) -> None:
    with Store.open(folder) as store:
        expected = store.read("Beach.1", 10, 20, [1])
        copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.read("Beach.1", 10, 20, [1]), expected)
    assert copy.fingerprint == store.fingerprint


def test_a_forked_process_reads_while_its_parent_held_the_lock(folder: Path) -> None:
    script = f"""
import os
from pathlib import Path
from codecctl.datasets.store import Store
store = Store.open(Path({str(folder)!r}))
first = store.read("Beach.1", 0, 100, [0])
store._lock.acquire()
child = os.fork()
if child == 0:
    os._exit(0 if (store.read("Beach.1", 0, 100, [0]) == first).all() else 1)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "0\n"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_open_files_are_bounded(make_store: Maker) -> None:
    folder = make_store({"Beach.1": np.ones((1, 2), dtype=np.float32)}, sample_rate=2)
    (row,) = committed_recordings(folder).values()
    names = [f"Beach.{take}" for take in range(1, MAX_OPEN_FILES + 6)]
    for name in names[1:]:
        shutil.copy(folder / "rec/Beach.1.h5", folder / f"rec/{name}.h5")
    rows = [replace(row, name=name) for name in names]
    write_index(folder, name="many", sample_rate=2, dtype="int16", recordings=rows)
    with Store.open(folder) as store:
        before = open_files()
        for name in names:
            store.read(name, 0, 2, [0])
        assert open_files() - before == MAX_OPEN_FILES
        store.close()
        assert open_files() == before
        np.testing.assert_allclose(store.read("Beach.1", 0, 2, [0]), 1)
