"""Lossless coding without a model on recordings, beside FLAC and WavPack.

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/lossless_arrays.py FILE... [--effort high]

For each WAV or FLAC file of integers: bits a sample through `codecctl encode --lossless`, FLAC
(libsndfile, level 8, the better of stereo pairs and groups of 8 channels) and WavPack (-hhx, all
channels at once, where installed), whole files with their headers; how much smaller ours is than
the best of them; and how many seconds of audio a second of CPU time encodes and decodes, hashes and
files included. Every file has to come back byte for byte. What is compiled is compiled before.
Files of floats are left out.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile

from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.prediction import EFFORTS

WAYS = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True)
class Row:
    """What became of a file."""

    name: str
    channels: int
    bits: int
    seconds: float
    raw: int
    ours: int
    flac: int
    wavpack: int | None
    encode_speed: float
    decode_speed: float

    @property
    def smaller(self) -> float:
        """Share of the best of the others that is saved."""
        best = self.flac if self.wavpack is None else min(self.flac, self.wavpack)
        return 1 - self.ours / best


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--effort", choices=list(EFFORTS), default="normal")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(_warm(Path(folder)), Path(folder), options.effort)
        chosen = [path for path in options.files if soundfile.info(path).subtype in WAYS]
        rows = [measure(path, Path(folder), options.effort) for path in chosen]
    if options.json:
        print(json.dumps([asdict(row) | {"smaller": row.smaller} for row in rows]))
        return
    if len(chosen) < len(options.files):
        print(f"left out: {len(options.files) - len(chosen)} files of floats")
    print("file | channels | bits | s | ours | FLAC | WavPack | smaller | encode | decode")
    for row in rows:
        print(" | ".join(_cells(row)))


def measure(path: Path, folder: Path, effort: str) -> Row:
    """All coders on one file."""
    samples, rate = soundfile.read(path, dtype="int32", always_2d=True)
    subtype = soundfile.info(path).subtype
    wav, coded, back = (folder / name for name in ("a.wav", "a.cctl", "b.wav"))
    if path.suffix.lower() == ".wav":
        shutil.copyfile(path, wav)
    else:
        soundfile.write(wav, samples, rate, subtype=subtype)
    started = time.process_time()
    sizes = encode_array(wav, coded, effort=effort)
    encoded = time.process_time()
    decode_array(coded, back)
    decoded = time.process_time()
    assert back.read_bytes() == wav.read_bytes(), path
    seconds = len(samples) / rate
    return Row(
        name=path.name,
        channels=samples.shape[1],
        bits=WAYS[subtype],
        seconds=seconds,
        raw=sizes.raw,
        ours=sizes.coded,
        flac=min(_flac(samples, rate, subtype, group) for group in (2, 8)),
        wavpack=_wavpack(wav, folder) if shutil.which("wavpack") else None,
        encode_speed=seconds / (encoded - started),
        decode_speed=seconds / (decoded - encoded),
    )


def _warm(folder: Path) -> Path:
    path = folder / "warm.wav"
    soundfile.write(path, np.arange(4000).reshape(1000, 4).astype(np.int16), 8000)
    return path


def _flac(samples: np.ndarray, rate: int, subtype: str, group: int) -> int:
    total = 0
    for first in range(0, samples.shape[1], group):
        file = io.BytesIO()
        some = samples[:, first : first + group]
        kind = "PCM_S8" if subtype == "PCM_U8" else subtype
        soundfile.write(file, some, rate, format="FLAC", subtype=kind, compression_level=1.0)
        total += len(file.getvalue())
    return total


def _wavpack(wav: Path, folder: Path) -> int:
    target = folder / "a.wv"
    command = ["wavpack", "-hhx", "-q", "-y", str(wav), "-o", str(target)]
    subprocess.run(command, check=True)
    return target.stat().st_size


def _cells(row: Row) -> list[str]:
    count = (row.raw // (row.bits // 8)) or 1
    per_sample = [
        "-" if size is None else f"{8 * size / count:.3f}"
        for size in (row.ours, row.flac, row.wavpack)
    ]
    return [
        row.name,
        str(row.channels),
        str(row.bits),
        f"{row.seconds:.1f}",
        *per_sample,
        f"{100 * row.smaller:.1f} %",
        f"{row.encode_speed:.2f} x",
        f"{row.decode_speed:.2f} x",
    ]


if __name__ == "__main__":
    main()
