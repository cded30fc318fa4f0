"""Ingest files beyond 2 GiB and 4 GiB and compare what is stored with what was in them.

    .venv/bin/python -m benchmarks.soak.large_files [--jobs 2] [--folder DIR] [--dtype DTYPE]

A WAV of 3 GB with 32 channels, an RF64 of 4.6 GB with 32 and a W64 of 4.5 GB with 25, all of
24 bit and 48 kHz, are sparse: silence, and a second of noise at the beginning, across every
multiple of 2 GiB, and at the end. One ingest to 24 kHz, `data verify` and `data info` run on
them; then every second of noise is compared with its source, resampled here, and everything
between is looked through for anything but silence. Takes 4.2 GB of disk for the store; with
`--dtype pcm`, at the native rate and to the last bit, 16.2 GB in files of up to 6.1 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecctl.datasets.resample import Resampler
from codecctl.datasets.store import Store
from tests.sparse_audio import write_sparse

CODECCTL = Path(sys.executable).with_name("codecctl")
SOURCE_RATE = 48_000
FULL_SCALE = 2**23
PAD = SOURCE_RATE // 2
"""Frames of silence around a second of noise, for what the filters ring."""
NEEDED_DB = {"int16": 80.0, "float32": 110.0, "pcm": np.inf}


@dataclass(frozen=True)
class Large:
    """A file to be made."""

    file: str
    recording: str
    kind: str
    channels: int
    frames: int

    @property
    def size(self) -> int:
        """Bytes of samples."""
        return 3 * self.channels * self.frames

    @property
    def real(self) -> list[int]:
        """First frames of the seconds of noise."""
        across = range(2**31, self.size, 2**31)
        # Even, so that a frame of the store lies on the first.
        middle = [size // (6 * self.channels) * 2 - SOURCE_RATE // 2 for size in across]
        return [0, *middle, self.frames - SOURCE_RATE]


FILES = (
    Large("Beach-01-Raw.wav", "Beach.1", "WAV", 32, 31_250_000),
    Large("Park-02-Raw.wav", "Park.2", "RF64", 32, 48_000_000),
    Large("Woodland.3.w64", "Woodland.3", "W64", 25, 60_000_000),
)


def main() -> None:
    """Make, ingest, verify, compare; exit code 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where the store fits")
    parser.add_argument("--dtype", choices=sorted(NEEDED_DB), default="int16")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="large-files-", dir=options.folder))
    try:
        corpus = folder / "large"
        corpus.mkdir()
        for number, large in enumerate(FILES):
            make(corpus / large.file, large, seed=number)
        ingest(folder, corpus, jobs=options.jobs, dtype=options.dtype)
        timed(folder, "data", "verify", "large")
        timed(folder, "data", "info", "large", "--json")
        with Store.open(folder / "stores" / "large") as store:
            sound = [
                compare(store, large, seed=number, needed_db=NEEDED_DB[options.dtype])
                for number, large in enumerate(FILES)
            ]
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if all(sound) else 1)


def noise(large: Large, first: int, seed: int) -> np.ndarray:
    """The second of noise at a frame, (T, C) int32 of 24 bits."""
    generator = np.random.default_rng([seed, first])
    return generator.integers(-(2**20), 2**20, (SOURCE_RATE, large.channels), dtype=np.int32)


def make(path: Path, large: Large, *, seed: int) -> None:
    """Write a file and say how big it looks and how big it is."""
    real = {first: noise(large, first, seed) for first in large.real}
    write_sparse(path, kind=large.kind, channels=large.channels, frames=large.frames, real=real)
    status = path.stat()
    held = status.st_blocks * 512
    print(
        f"{large.file}: {large.kind}, {large.channels} channels, {status.st_size / 1e9:.2f} GB "
        f"({status.st_size / 2**32:.2f} of 4 GiB), {held / 1e6:.0f} MB on the disk"
    )


def ingest(folder: Path, corpus: Path, *, jobs: int, dtype: str) -> None:
    """One ingest of all files."""
    report = json.loads(
        timed(folder, "data", "ingest", corpus, "--dtype", dtype, "--jobs", jobs, "--json")
    )
    assert report["complete"] and len(report["stored"]) == len(FILES), report
    print(f"  {report['source_bytes'] / 1e6 / report['wall_seconds']:.0f} MB of WAV a second")


def timed(folder: Path, *words: object) -> str:
    """Output of a command; prints its wall and processor time and its largest process so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(
        [str(CODECCTL), *map(str, words)], cwd=folder, capture_output=True, text=True, check=False
    )
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{' '.join(map(str, words[:2]))}: exit {done.returncode}, {wall:.1f} s, "
        f"{processor:.1f} s of processor time, largest process so far {after.ru_maxrss / 1024:.0f} "
        "MiB"
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def compare(store: Store, large: Large, *, seed: int, needed_db: float) -> bool:
    """Whether a recording holds the noise where it was and silence everywhere else."""
    info = store.recording(large.recording)
    ratio = SOURCE_RATE // store.sample_rate
    channels = tuple(range(large.channels))
    good = info.frames == large.frames // ratio and info.channels == large.channels
    worst = np.inf
    for first in large.real:
        begin, end = max(0, first - PAD), min(large.frames, first + SOURCE_RATE + PAD)
        audio = np.zeros((large.channels, end - begin), np.float32)
        audio[:, first - begin : first - begin + SOURCE_RATE] = noise(large, first, seed).T
        resampler = Resampler(large.channels, source_rate=SOURCE_RATE, rate=store.sample_rate)
        expected = resampler.convert(audio / np.float32(FULL_SCALE), last=True)
        found = store.read(info.name, begin // ratio, expected.shape[1], channels)
        error = np.square(found - expected, dtype=np.float64).mean()
        level = np.square(expected, dtype=np.float64).mean()
        worst = min(worst, 10 * np.log10(level / error) if error else np.inf)
    loudest = max(peak_between(store, large, channels))
    good = good and worst >= needed_db and loudest < 1e-5
    print(
        f"{large.file}: {info.frames} frames in {info.file_size / 1e9:.2f} GB, {len(large.real)} "
        f"seconds of noise at {worst:.1f} dB, silence in between peaks at {loudest:.1e}: "
        f"{'ok' if good else 'WRONG'}",
        flush=True,
    )
    return good


def peak_between(store: Store, large: Large, channels: tuple[int, ...]) -> list[float]:
    """The largest sample between the seconds of noise."""
    peaks = []
    ratio, step = SOURCE_RATE // store.sample_rate, 10 * store.sample_rate
    for first, last in zip(large.real, large.real[1:], strict=False):
        begin, end = (first + SOURCE_RATE + PAD) // ratio, (last - PAD) // ratio
        for at in range(begin, end, step):
            block = store.read(large.recording, at, min(step, end - at), channels)
            peaks.append(float(np.abs(block).max()))
    return peaks


if __name__ == "__main__":
    main()
