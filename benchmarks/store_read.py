"""Random reads of a store beside the usual ways to read a second of a field recording.

    .venv/bin/python benchmarks/store_read.py [--seconds 20] [--folder DIR]

Process CPU time, medians of 7 rounds, warm unless said; about 20 s, 200 MB in a temporary folder.
Each ratio is printed with the one that the store was designed to hold on any machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import soundfile
import soxr

from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import RecordingWriter, SourceFacts, Store, write_index
from codecctl.datasets.windows import Window

RATE = 24_000
SOURCE_RATE = 48_000
CHANNELS = 32
ROUNDS = 7
NAME = "Beach.1"

Reader = Callable[[int, range], np.ndarray]
"""Reads a second from a frame on, (M, RATE) float32."""


def main() -> None:
    """Write the files, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, help="length of the recording")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        write_files(Path(folder), seconds=arguments.seconds)
        measure(Path(folder), frames=arguments.seconds * RATE)


def write_files(folder: Path, *, seconds: int) -> None:
    """The same noise as a WAV of 48 kHz and 24 bit, a store, and compressed float32 HDF5."""
    rng = np.random.default_rng(0)
    wide = (0.01 * rng.standard_normal((seconds * SOURCE_RATE, CHANNELS))).astype(np.float32)
    soundfile.write(folder / "source.wav", wide, SOURCE_RATE, subtype="PCM_24")
    audio = np.ascontiguousarray(wide.reshape(-1, 2, CHANNELS)[:, 0].T)  # values do not matter
    del wide
    with RecordingWriter(
        folder,
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
    write_index(folder, name="bench", sample_rate=RATE, dtype="int16", recordings=[row])
    with h5py.File(folder / "naive.h5", "w") as file:
        file.create_dataset("audio", data=audio, compression="gzip", chunks=True)


def measure(folder: Path, *, frames: int) -> None:
    """Print the time of each reader and its ratio to the store."""
    store = Store.open(folder)
    readers = all_readers(folder, store, frames=frames)
    for channels in (1, 2, CHANNELS):
        times = {
            name: median_microseconds(read, channels=channels, frames=limit, reads=reads)
            for name, (read, limit, reads) in readers.items()
        }
        print(f"\n{channels} channels, one second, microseconds of CPU")
        for name, spent in times.items():
            ratio = spent / times["store"]
            print(f"  {name:22s}{spent:10.1f}{ratio:10.2f} x{held(name, channels, ratio)}")
    print(f"\nbatches of 8 pairs: {batch_microseconds(store):.0f} us of CPU for a batch")
    print(f"cold: {cold_amplification(folder, store, frames=frames):.2f} bytes read for one needed")


def all_readers(folder: Path, store: Store, *, frames: int) -> dict[str, tuple[Reader, int, int]]:
    """Each way to read, the frames that it may start in, and reads of a round."""
    wav = soundfile.SoundFile(folder / "source.wav")
    file = h5py.File(store.path / f"rec/{NAME}.h5", "r", locking=False, rdcc_nbytes=0)
    dataset, scale = file["audio"], file["scale"][...]
    naive = h5py.File(folder / "naive.h5", "r")["audio"]
    memory = dataset[...]
    out = np.empty((CHANNELS, RATE), dtype=np.float32)

    def from_store(start: int, channels: range) -> np.ndarray:
        return store.read(NAME, start, RATE, channels, out[: len(channels)])

    def from_memory(start: int, channels: range) -> np.ndarray:
        for row, channel in zip(out, channels, strict=False):
            row[...] = memory[channel, start : start + RATE]
            np.multiply(row, scale[channel, 0], out=row)
        return out

    def from_hdf5(start: int, channels: range) -> np.ndarray:
        span = dataset[channels.start : channels.stop, start : start + RATE]
        for row, channel, samples in zip(out, channels, span, strict=False):
            row[...] = samples
            np.multiply(row, scale[channel, 0], out=row)
        return out

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
        "store": (from_store, last, 300),
        "memory, int16 to float": (from_memory, last, 300),
        "HDF5 slice": (from_hdf5, last, 300),
        "HDF5 gzip float32": (from_naive, last, 5),
        "WAV, seek, soxr HQ": (from_wav, last, 5),
    }


def held(name: str, channels: int, ratio: float) -> str:
    """The ratio to hold, and whether it is."""
    bars = {
        ("WAV, seek, soxr HQ", 1): 300.0,
        ("WAV, seek, soxr HQ", 2): 150.0,
        ("WAV, seek, soxr HQ", CHANNELS): 20.0,
        ("HDF5 slice", 1): 1.5,
        ("HDF5 gzip float32", 1): 25.0,
        ("memory, int16 to float", 1): 0.6,
    }
    bar = bars.get((name, channels))
    if bar is None:
        return ""
    return f"   hold {bar:g}: {'held' if ratio >= bar else 'MISSED'}"


def median_microseconds(read: Reader, *, channels: int, frames: int, reads: int) -> float:
    """CPU time of one read, at random starts and first channels."""
    reads = max(reads // channels, 3)
    rng = np.random.default_rng(1)
    rounds = []
    for _ in range(ROUNDS + 1):  # the first one warms up
        starts = rng.integers(0, frames, reads).tolist()
        firsts = rng.integers(0, CHANNELS - channels + 1, reads).tolist()
        begun = time.process_time()
        for start, first in zip(starts, firsts, strict=True):
            read(start, range(first, first + channels))
        rounds.append(1e6 * (time.process_time() - begun) / reads)
    return statistics.median(rounds[1:])


def batch_microseconds(store: Store) -> float:
    """CPU time of drawing, reading and judging a batch of the paired mode."""
    window = Window(frames=RATE, capsules=2)
    sampler = TrainSampler(store, [NAME], window=window, batch_size=8, seed=0)
    out = np.empty((8, 2, RATE), dtype=np.float32)
    rounds = []
    for number in range(ROUNDS):
        begun = time.process_time()
        for step in range(50):
            sampler.batch(50 * number + step, out=out)
        rounds.append(1e6 * (time.process_time() - begun) / 50)
    return statistics.median(rounds)


def cold_amplification(folder: Path, store: Store, *, frames: int) -> float:
    """Bytes that the disk delivers for one byte of a window, after the cache was dropped."""
    reads = 20
    store.read(NAME, 0, 1, [0])
    descriptor = os.open(folder / f"rec/{NAME}.h5", os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)
    rng = np.random.default_rng(2)
    before = disk_bytes()
    for channel, start in enumerate(rng.integers(0, frames - RATE, reads).tolist()):
        store.will_need(NAME, start, RATE, [channel])
        store.read(NAME, start, RATE, [channel])
    return (disk_bytes() - before) / (reads * 2 * RATE)


def disk_bytes() -> int:
    """Bytes that this process has had read from a disk."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["read_bytes"])


if __name__ == "__main__":
    main()
