"""An ingest of 32 channels beside reading the same file, and beside the usual pipeline.

    .venv/bin/python benchmarks/ingest.py [--seconds 60] [--naive-seconds 10] [--folder DIR]

48 kHz and 24 bits become int16 at 24 kHz. Process CPU time for a second of audio, medians of 7
rounds in which each takes its turn, warm; the file ends with fsync and rename. The memory is the
largest resident size of a process that ingests ten minutes. About 1 min, 1.2 GB in a temporary
folder. Each ratio is printed with the one to hold on any machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import soundfile

from codecctl.datasets.ingest_recording import Job, Output, ingest_recording

RATE = 24_000
SOURCE_RATE = 48_000
CHANNELS = 32
ROUNDS = 7
TEN_MINUTES = 600
MEMORY_MB = 400
BARS = {"ingest, no hash": 1.3, "ingest, sha256": 2.0}
"""Most CPU time, as a multiple of soundfile's float32 read."""
NAIVE_BAR = 12.0
"""Least CPU time of the naive pipeline, as a multiple of an ingest."""
READ, NAIVE = "soundfile read, float32", "naive pipeline"


def main() -> int:
    """Write the files, measure, print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="length of the recording")
    parser.add_argument("--naive-seconds", type=int, default=10, help="of the naive pipeline's")
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        ingest(arguments.one, arguments.one.parent / "memory", source_hash="xxh3-128")
        # Not ru_maxrss: a process begins with that of the one that started it.
        fields = Path("/proc/self/status").read_text().split()
        print(fields[fields.index("VmHWM:") + 1])
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        rounds = measure(Path(folder), arguments.seconds, arguments.naive_seconds)
        peak = memory_megabytes(Path(folder))
    return 0 if report(rounds) & report_memory(peak) else 1


def measure(folder: Path, seconds: int, naive_seconds: int) -> dict[str, list[float]]:
    """CPU time of each way in each round, in ms for a second of audio."""
    source, short = folder / "source.wav", folder / "short.wav"
    write_wav(source, seconds=seconds)
    write_wav(short, seconds=naive_seconds)
    ways: dict[str, tuple[Callable[[], None], int]] = {
        READ: (partial(read_blocks, source), seconds),
        "ingest, no hash": (partial(ingest, source, folder / "s", source_hash="none"), seconds),
        "ingest, xxh3-128": (partial(ingest, source, folder / "s"), seconds),
        "ingest, sha256": (partial(ingest, source, folder / "s", source_hash="sha256"), seconds),
        NAIVE: (partial(naive, short, folder / "naive.h5"), naive_seconds),
    }
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS + 1):  # the first one warms up
        for name, (way, length) in ways.items():
            begun = time.process_time()
            way()
            spent = 1000 * (time.process_time() - begun) / length
            if number > 0:
                rounds[name].append(spent)
            shutil.rmtree(folder / "s", ignore_errors=True)
    return rounds


def report(rounds: dict[str, list[float]]) -> bool:
    """Print times and ratios, the best round for a busy machine; whether every bar is held."""
    times = {name: statistics.median(spent) for name, spent in rounds.items()}
    print(f"ms of CPU for a second of {CHANNELS} channels, and the multiple of the read alone")
    good = True
    for name, spent in times.items():
        ratio, bar = spent / times[READ], BARS.get(name)
        held = bar is None or ratio <= bar
        word = "" if bar is None else f"   hold {bar:g}: {'held' if held else 'MISSED'}"
        best = min(rounds[name]) / min(rounds[READ])
        print(f"  {name:26s}{spent:8.2f}{ratio:8.2f} x   best {best:.2f} x{word}")
        good = good and held
    faster = times[NAIVE] / times["ingest, no hash"]
    word = "held" if faster >= NAIVE_BAR else "MISSED"
    print(f"naive pipeline / ingest: {faster:.1f} x   hold {NAIVE_BAR:g}: {word}")
    return good and faster >= NAIVE_BAR


def report_memory(peak: float) -> bool:
    """Print the largest resident size; whether the bar is held."""
    word = "held" if peak <= MEMORY_MB else "MISSED"
    print(f"memory, {TEN_MINUTES} s: {peak:.0f} MB   hold {MEMORY_MB}: {word}")
    return peak <= MEMORY_MB


def write_wav(path: Path, *, seconds: int) -> None:
    """Noise at -40 dBFS, 24 bits; each second the same."""
    rng = np.random.default_rng(0)
    second = (0.01 * rng.standard_normal((SOURCE_RATE, CHANNELS))).astype(np.float32)
    size = (SOURCE_RATE, CHANNELS, "PCM_24", None, "WAVEX")
    with soundfile.SoundFile(path, "w", *size) as file:
        for _ in range(seconds):
            file.write(second)


def read_blocks(path: Path) -> None:
    """Decode a file in blocks of a second and do nothing with them."""
    out = np.empty((SOURCE_RATE, CHANNELS), np.float32)
    with soundfile.SoundFile(path) as file:
        while len(file.read(dtype="float32", out=out)) == SOURCE_RATE:
            pass


def ingest(path: Path, store: Path, *, source_hash: str = "xxh3-128") -> None:
    """Store a file as `data ingest` does, in this process."""
    output = Output(str(store), path.stem, path.stem, RATE, "int16", target_size=0)
    job = Job(
        path=str(path),
        source_name=path.name,
        corpus="",
        scene="",
        array="em32",
        source_size=path.stat().st_size,
        outputs=(output,),
        source_hash=source_hash,
    )
    ingest_recording(job, lambda _: None)


def naive(path: Path, target: Path) -> None:
    """Whole file, torchaudio's resampler as it comes, compressed float32."""
    import torch
    import torchaudio

    audio, _ = soundfile.read(path, dtype="float32", always_2d=True)
    planar = torch.from_numpy(np.ascontiguousarray(audio.T))
    halved = torchaudio.functional.resample(planar, SOURCE_RATE, RATE)
    with h5py.File(target, "w") as file:
        file.create_dataset("audio", data=halved.numpy(), compression="gzip", chunks=True)


def memory_megabytes(folder: Path) -> float:
    """Largest resident size of a process that ingests a sparse file of ten minutes."""
    path = folder / "long.wav"
    write_wav(path, seconds=1)
    size = TEN_MINUTES * SOURCE_RATE * CHANNELS * 3
    data = bytearray(path.read_bytes()[:200])
    at = data.index(b"data") + 4
    data[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(data[: at + 4])
    with path.open("r+b") as file:
        file.truncate(at + 4 + size)
    command = [sys.executable, __file__, "--one", str(path)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout) * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
