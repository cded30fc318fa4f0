"""The batch reader beside a DataLoader with two workers that reads the same store item by item.

    .venv/bin/python benchmarks/batches.py [--seconds 60] [--folder DIR]

CPU of the process and of its workers for an item, and items a second by the clock; medians of 7
rounds in which all loaders take turns, from memory; about a minute, 100 MB in a temporary folder.
The DataLoader is given its windows, the batch reader draws its own and looks for silence.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import torch
from torch.utils.data import DataLoader, Dataset

from codecctl.datasets.batch import Item
from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import RecordingWriter, SourceFacts, Store, write_index
from codecctl.datasets.windows import Window

RATE = 24_000
CHANNELS = 32
ROUNDS = 7
CHANNEL_WINDOWS = 6144
"""Of a round."""
WARM_UP = 8
"""Batches until workers have started and the memory of the ring was used once; as many are left
over at the end, which workers have read ahead."""
BAR = 4.0
NAME = "Beach.1"
REFERENCE = "DataLoader, 2 workers, by item"

Loader = Callable[[], Iterator[object]]
"""Starts afresh and gives batches."""


class Items(Dataset[np.ndarray]):
    """One window of the store for each index, (M, RATE) float32."""

    def __init__(self, store: Store, items: Sequence[Item]) -> None:
        self._store = store
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> np.ndarray:
        item = self._items[index]
        return self._store.read(item.recording, item.start, RATE, item.channels)


def main() -> None:
    """Write a store, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="length of the recording")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        write_store(Path(folder), seconds=arguments.seconds)
        (Path(folder) / f"rec/{NAME}.h5").read_bytes()
        with Store.open(Path(folder)) as store:
            for batch_size, capsules in ((32, 1), (8, 2), (4, CHANNELS)):
                compare(store, batch_size=batch_size, capsules=capsules)


def write_store(folder: Path, *, seconds: int) -> None:
    """Noise in all channels."""
    rng = np.random.default_rng(0)
    frames = seconds * RATE
    with RecordingWriter(
        folder,
        name=NAME,
        scene="Beach",
        take="1",
        array="em32",
        channels=CHANNELS,
        frames=frames,
        sample_rate=RATE,
        dtype="int16",
        source=SourceFacts("source.wav", RATE, 24, frames, 0, 0.0),
        labels=[str(channel + 1) for channel in range(CHANNELS)],
    ) as writer:
        for _ in range(seconds):
            writer.write(0.01 * rng.standard_normal((CHANNELS, RATE), dtype=np.float32))
        row = writer.commit()
    write_index(folder, name="bench", sample_rate=RATE, dtype="int16", recordings=[row])


def compare(store: Store, *, batch_size: int, capsules: int) -> None:
    """Print items a second of each loader and the ratio that has a bar."""
    policy = "all" if capsules == CHANNELS else "random_distinct"
    window = Window(frames=RATE, capsules=capsules, policy=policy)
    sampler = TrainSampler(store, [NAME], window=window, batch_size=batch_size, seed=0)
    count = CHANNEL_WINDOWS // (batch_size * capsules)
    items = [item for step in range(count) for item in sampler.items(step)]
    loaders: dict[str, Loader] = {
        "batch reader, one thread ahead": lambda: Prefetcher(sampler, 0, 4),
        "batch reader, int16 to the device": lambda: Prefetcher(sampler, 0, 4, integers=True),
        "batch reader, no thread": lambda: Prefetcher(sampler, 0, 0),
        REFERENCE: lambda: iter(
            DataLoader(
                Items(store, items),
                batch_size=batch_size,
                num_workers=2,
                multiprocessing_context="fork",
            )
        ),
        "DataLoader, no worker, by item": lambda: iter(
            DataLoader(Items(store, items), batch_size=batch_size)
        ),
    }
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in loaders}
    for _ in range(ROUNDS + 1):  # the first one warms up
        for name, loader in loaders.items():
            rounds[name].append(spent(loader, count - 2 * WARM_UP))
    walls, cpus = (
        {name: statistics.median(row[kind] for row in rows[1:]) for name, rows in rounds.items()}
        for kind in (0, 1)
    )
    print(f"\nbatches of {batch_size} windows of {capsules} channels and one second")
    for name, wall in walls.items():
        ratio = cpus[REFERENCE] / cpus[name]
        bar = f"   bar {BAR:g}: {'held' if ratio >= BAR else 'MISSED'}" if "reader" in name else ""
        spent_each = 1e6 * cpus[name] / batch_size
        print(f"  {name:36s}{spent_each:10.1f} us of CPU an item{ratio:8.2f} x{bar}")
        clock = walls[REFERENCE] / wall
        print(f"  {'':36s}{batch_size / wall:10.0f} items/s by the clock{clock:7.2f} x")


def spent(loader: Loader, count: int) -> tuple[float, float]:
    """Seconds of a batch on the clock and of all processors; starting and ending do not count."""
    batches = loader()
    for _ in islice(batches, WARM_UP):
        pass
    begun, before = time.perf_counter(), cpu_seconds()
    for _ in islice(batches, count):
        pass
    wall, cpu = time.perf_counter() - begun, cpu_seconds() - before
    if isinstance(batches, Prefetcher):
        batches.close()
    return wall / count, cpu / count


def cpu_seconds() -> float:
    """Of this process and of the workers that are alive."""
    here = psutil.Process(os.getpid())
    times = [process.cpu_times() for process in (here, *here.children())]
    return float(sum(row.user + row.system for row in times))


if __name__ == "__main__":
    main()
