"""Random reads of a store beside the usual ways to read a second of a field recording.

    .venv/bin/python benchmarks/store_read.py [--seconds 60] [--folder DIR]

Process CPU time, medians of 9 rounds in which all readers take turns, from memory unless said;
about two minutes, 600 MB in a temporary folder. Each ratio is printed with the bar that it has to
hold on any machine. The store is in memory as a copy of it (`data stage`) is, in large pages; pages
that random reads brought there are small and take longer to copy, which has a line of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import soundfile
import soxr

from codecctl.datasets.store import RecordingWriter, SourceFacts, Store, write_index

RATE = 24_000
SOURCE_RATE = 48_000
CHANNELS = 32
ROUNDS = 9
NAIVE_SECONDS = 20
NAME = "Beach.1"
STORE = "store"
SOUNDFILE = "WAV, seek, soxr HQ"
HDF5 = "HDF5 slice"
GZIP = "HDF5 gzip float32"
LIMITS = ("memory: multiply int16 into float32", "memory: convert, multiply in place")
SMALL_PAGES = "store, cached by random reads"
BARS = {
    (SOUNDFILE, 1): 500.0,
    (SOUNDFILE, 2): 250.0,
    (SOUNDFILE, CHANNELS): 30.0,
    (HDF5, 1): 1.5,
    (GZIP, 1): 25.0,
    (LIMITS[0], 1): 0.7,
    (LIMITS[1], 1): 0.7,
}
COLD_BAR = 1.2

Reader = Callable[[int, range], object]
"""Reads a second from a frame on, (M, RATE) float32."""


def main() -> None:
    """Write the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="length of the recording")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        write_files(Path(folder), seconds=max(arguments.seconds, NAIVE_SECONDS))
        measure(Path(folder), frames=max(arguments.seconds, NAIVE_SECONDS) * RATE)


def write_files(folder: Path, *, seconds: int) -> None:
    """The same noise as a WAV of 48 kHz and 24 bit, a store, and compressed float32 HDF5."""
    rng = np.random.default_rng(0)
    wide = (0.01 * rng.standard_normal((seconds * SOURCE_RATE, CHANNELS))).astype(np.float32)
    soundfile.write(folder / "source.wav", wide, SOURCE_RATE, subtype="PCM_24")
    audio = np.ascontiguousarray(wide.reshape(-1, 2, CHANNELS)[:, 0].T)  # values do not matter
    del wide
    with RecordingWriter(
        folder / "store",
        name=NAME,
        scene="Beach",
        take="1",
        array="em32",
        channels=CHANNELS,
        frames=audio.shape[1],
        sample_rate=RATE,
        dtype="int16",
        source=SourceFacts("source.wav", SOURCE_RATE, 24, 2 * audio.shape[1], 0, 0.0),
        labels=[str(channel + 1) for channel in range(CHANNELS)],
    ) as writer:
        begun = time.process_time()
        writer.write(audio)
        row = writer.commit()
    spent = 1000 * (time.process_time() - begun) / seconds
    print(f"write, hash, sync: {spent:.2f} ms CPU for a second of {CHANNELS} channels")
    write_index(folder / "store", name="bench", sample_rate=RATE, dtype="int16", recordings=[row])
    shutil.copytree(folder / "store", folder / "again")
    with h5py.File(folder / "naive.h5", "w") as file:
        part = audio[:, : NAIVE_SECONDS * RATE]
        file.create_dataset("audio", data=part, compression="gzip", chunks=True)


def measure(folder: Path, *, frames: int) -> None:
    """Print the time of each reader and its ratio to the store."""
    store, again = Store.open(folder / "store"), Store.open(folder / "again")
    drop(again.path / f"rec/{NAME}.h5")
    for second in range(frames // RATE):  # a page at a time, as training brings them
        again.read(NAME, second * RATE, RATE, range(CHANNELS))
    file = store.path / f"rec/{NAME}.h5"
    drop(file)
    file.read_bytes()
    readers = all_readers(folder, store, again, frames=frames)
    for channels in (1, 2, CHANNELS):
        times = take_turns(readers, channels=channels)
        print(f"\n{channels} channels, one second, microseconds of CPU")
        for name, spent in times.items():
            ratio = spent / times[STORE]
            print(f"  {name:38s}{spent:10.1f}{ratio:10.2f} x{held(name, channels, ratio)}")
    amount = cold_amplification(store, frames=frames)
    verdict = "held" if amount <= COLD_BAR else "MISSED"
    print(
        f"\nfrom the disk, 1 channel: {amount:.2f} bytes for one needed   bar {COLD_BAR}: {verdict}"
    )


def all_readers(
    folder: Path, store: Store, again: Store, *, frames: int
) -> dict[str, tuple[Reader, int, int]]:
    """Each way to read, the frames that it may start in, and reads of a round."""
    wav = soundfile.SoundFile(folder / "source.wav")
    file = h5py.File(store.path / f"rec/{NAME}.h5", "r", locking=False, rdcc_nbytes=0)
    dataset, scale = file["audio"], file["scale"][...]
    naive = h5py.File(folder / "naive.h5", "r")["audio"]
    memory = dataset[...]
    out = np.empty((CHANNELS, RATE), dtype=np.float32)

    def from_store(start: int, channels: range) -> np.ndarray:
        return store.read(NAME, start, RATE, channels, out[: len(channels)])

    def from_small_pages(start: int, channels: range) -> np.ndarray:
        return again.read(NAME, start, RATE, channels, out[: len(channels)])

    def multiply(start: int, channels: range) -> None:
        for place, channel in enumerate(channels):
            np.multiply(memory[channel, start : start + RATE], scale[channel, 0], out=out[place])

    def convert(start: int, channels: range) -> None:
        for place, channel in enumerate(channels):
            row = out[place]
            row[...] = memory[channel, start : start + RATE]
            np.multiply(row, scale[channel, 0], out=row)

    def from_hdf5(start: int, channels: range) -> None:
        span = dataset[channels.start : channels.stop, start : start + RATE]
        for row, channel, samples in zip(out, channels, span, strict=False):
            row[...] = samples
            np.multiply(row, scale[channel, 0], out=row)

    def from_naive(start: int, channels: range) -> np.ndarray:
        span: np.ndarray = naive[channels.start : channels.stop, start : start + RATE]
        return span

    def from_wav(start: int, channels: range) -> np.ndarray:
        wav.seek(2 * start)
        samples = wav.read(SOURCE_RATE, dtype="float32", always_2d=True)
        chosen = np.ascontiguousarray(samples[:, channels.start : channels.stop])
        resampled: np.ndarray = soxr.resample(chosen, SOURCE_RATE, RATE, quality="HQ")
        return resampled

    last = frames - RATE
    return {
        STORE: (from_store, last, 400),
        SMALL_PAGES: (from_small_pages, last, 400),
        LIMITS[0]: (multiply, last, 400),
        LIMITS[1]: (convert, last, 400),
        HDF5: (from_hdf5, last, 200),
        GZIP: (from_naive, (NAIVE_SECONDS - 1) * RATE, 3),
        SOUNDFILE: (from_wav, last, 3),
    }


def take_turns(readers: dict[str, tuple[Reader, int, int]], *, channels: int) -> dict[str, float]:
    """Median CPU time of a read, at random starts and first channels, in microseconds."""
    rng = np.random.default_rng(1)
    rounds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(ROUNDS + 1):  # the first one warms up
        for name, (read, frames, most) in readers.items():
            reads = max(most // channels, 3)
            starts = rng.integers(0, frames, reads).tolist()
            firsts = rng.integers(0, CHANNELS - channels + 1, reads).tolist()
            begun = time.process_time()
            for start, first in zip(starts, firsts, strict=True):
                read(start, range(first, first + channels))
            rounds[name].append(1e6 * (time.process_time() - begun) / reads)
    return {name: statistics.median(spent[1:]) for name, spent in rounds.items()}


def held(name: str, channels: int, ratio: float) -> str:
    """The bar of a ratio, and whether it is held."""
    bar = BARS.get((name, channels))
    return "" if bar is None else f"   bar {bar:g}: {'held' if ratio >= bar else 'MISSED'}"


def cold_amplification(store: Store, *, frames: int) -> float:
    """Bytes that the disk delivers for one byte of a window, after the cache was dropped."""
    reads = 20
    store.close()
    store.read(NAME, 0, 1, [0])
    drop(store.path / f"rec/{NAME}.h5")
    rng = np.random.default_rng(2)
    before = disk_bytes()
    for channel, start in enumerate(rng.integers(0, frames - RATE, reads).tolist()):
        store.read(NAME, start, RATE, [channel])
    return (disk_bytes() - before) / (reads * 2 * RATE)


def drop(path: Path) -> None:
    """Let the system forget what it holds of a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def disk_bytes() -> int:
    """Bytes that this process has had read from a disk."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["read_bytes"])


if __name__ == "__main__":
    main()
