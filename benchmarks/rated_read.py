"""What it costs to read a native store at the rate of a training, beside a store of that rate.

    .venv/bin/python benchmarks/rated_read.py [--seconds 30] [--rounds 7] [--folder DIR]

Process CPU time of one second of 1, 2 and 32 channels at 24 kHz, medians of rounds of reads at
random places, warm; and the error of these windows against the whole recording resampled at once.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from codecctl.datasets.rated import at_rate
from codecctl.datasets.resample import Resampler
from codecctl.datasets.store import AudioSource, RecordingWriter, SourceFacts, Store, write_index

RATE = 24_000
SOURCE_RATES = (48_000, 44_100, 16_000)
CHANNELS = 32
NAME = "Beach.1"
READS = {1: 60, 2: 40, CHANNELS: 6}
"""Of a round, by channels."""


def main() -> None:
    """Write the stores, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="length of the recording")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    options = parser.parse_args()
    print("channels of 1 s   native     resampled   store of 24 kHz   ratio   error")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        fitting = write_store(Path(folder), RATE, seconds=options.seconds)
        for source_rate in SOURCE_RATES:
            store = write_store(Path(folder), source_rate, seconds=options.seconds)
            view = at_rate(store, RATE)
            error = worst_error_db(store, view)
            for channels in READS:
                spent = [
                    median_ms(second_of(source, channels), READS[channels], options.rounds)
                    for source in (store, view, fitting)
                ]
                print(
                    f"{channels:4d} of {source_rate:6d} Hz {spent[0]:8.3f} ms {spent[1]:10.3f} ms "
                    f"{spent[2]:14.4f} ms {spent[1] / spent[2]:7.1f} x {error:7.1f} dB",
                    flush=True,
                )


def write_store(folder: Path, rate: int, *, seconds: int) -> Store:
    """A store of noise, int16, 32 channels."""
    audio = (0.1 * np.random.default_rng(0).standard_normal((CHANNELS, seconds * rate))).astype(
        "f4"
    )
    path = folder / str(rate)
    with RecordingWriter(
        path,
        name=NAME,
        scene="Beach",
        take="1",
        array="em32",
        channels=CHANNELS,
        frames=audio.shape[1],
        sample_rate=rate,
        dtype="int16",
        source=SourceFacts("source.wav", rate, 24, audio.shape[1], 0, 0.0),
        labels=[str(channel + 1) for channel in range(CHANNELS)],
    ) as writer:
        writer.write(audio)
        row = writer.commit(source_hash="xxh3-128:0")
    write_index(path, name=str(rate), sample_rate=rate, dtype="int16", recordings=[row])
    return Store.open(path)


def second_of(source: AudioSource, channels: int) -> Callable[[], object]:
    """A function that reads a second anywhere."""
    generator = np.random.default_rng(1)
    frames = source.recording(NAME).frames - source.sample_rate
    out = np.empty((channels, source.sample_rate), np.float32)
    chosen = tuple(range(channels))

    def read() -> object:
        start = int(generator.integers(frames))
        return source.read(NAME, start, source.sample_rate, chosen, out)

    return read


def median_ms(read: Callable[[], object], reads: int, rounds: int) -> float:
    """Median over rounds of the CPU milliseconds of one read."""
    read()
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        for _ in range(reads):
            read()
        times.append((time.process_time() - begun) / reads)
    return 1000 * statistics.median(times)


def worst_error_db(store: Store, view: AudioSource) -> float:
    """The worst window's error, relative to the level of the recording."""
    whole = store.read(NAME, 0, store.recording(NAME).frames, (0,))
    resampler = Resampler(1, source_rate=store.sample_rate, rate=RATE)
    expected = resampler.convert(whole, last=True).astype(np.float64)
    starts = [0, 1, expected.shape[1] - RATE]
    starts += list(np.random.default_rng(2).integers(expected.shape[1] - RATE, size=40))
    worst = max(
        np.square(view.read(NAME, int(at), RATE, (0,)) - expected[:, at : at + RATE]).mean()
        for at in starts
    )
    return float(10 * np.log10(worst / np.square(expected).mean()))


if __name__ == "__main__":
    main()
