"""Coders that everybody has: gzip, xz, FLAC and WavPack, on the samples of a WAV file."""

from __future__ import annotations

import filecmp
import gzip
import lzma
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from codecctl.engine.lossless.comparison import Advance, Coder, Stopwatch
from codecctl.engine.lossless.wav import read_parts
from codecctl.errors import CodecctlError

Mode = Literal["rb", "wb"]
BinaryStream = gzip.GzipFile | lzma.LZMAFile

_PIECE = 1 << 20
_FRAMES = 1 << 14
FLAC_RATE = 48000
"""What FLAC files say, whatever is coded: some rates have no FLAC file, and none changes a bit."""
FLAC_SUBTYPES = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24"}
FLAC_GROUPS = (8, 2)
"""Channels of a file: the most that it can have, and pairs, which are predicted from each other."""


class General:
    """A coder of bytes, on the samples as the WAV file has them.

    Args:
        name: As tables call it.
        open_file: Opens a coded file for reading or writing.
    """

    def __init__(self, name: str, open_file: Callable[[Path, Mode], BinaryStream]) -> None:
        self.name = name
        self._open = open_file

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        target = folder / "coded"
        with self._open(target, "wb") as file:
            for piece in _sample_bytes(wav):
                file.write(piece)
        advance(_samples(wav))
        return target.stat().st_size

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        with watch, self._open(folder / "coded", "rb") as file:
            for piece in _sample_bytes(wav):
                if file.read(len(piece)) != piece:
                    raise _differs(self.name, wav)
            if file.read(1):
                raise _differs(self.name, wav)
        advance(_samples(wav))


class Flac:
    """libFLAC at its best level: in groups of 8 channels or in pairs, whichever is smaller.

    Encoding is timed as what it takes to find out, decoding as that of the smaller one.
    """

    name = "FLAC -8"

    def __init__(self) -> None:
        self._group = 0

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        channels = read_parts(wav).channels
        sizes: dict[int, int] = {}
        for group in {min(each, channels) for each in FLAC_GROUPS}:
            files = self._write(wav, folder, group, channels)
            sizes[group] = sum(file.stat().st_size for file in files)
        self._group = min(sizes, key=lambda group: (sizes[group], -group))
        advance(_samples(wav))
        return sizes[self._group]

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        parts = read_parts(wav)
        for first in range(0, parts.channels, self._group):
            wanted = slice(first, min(first + self._group, parts.channels))
            with soundfile.SoundFile(_flac(folder, self._group, first)) as coded:
                for block in _blocks(wav):
                    with watch:
                        found = coded.read(len(block), dtype="int32", always_2d=True)
                    if not np.array_equal(found, block[:, wanted]):
                        raise _differs(self.name, wav)
                if len(coded.read(1)):
                    raise _differs(self.name, wav)
        advance(parts.frames * parts.channels)

    def _write(self, wav: Path, folder: Path, group: int, channels: int) -> list[Path]:
        subtype, files = FLAC_SUBTYPES[read_parts(wav).bits], []
        for first in range(0, channels, group):
            last = min(first + group, channels)
            files.append(_flac(folder, group, first))
            with soundfile.SoundFile(
                files[-1],
                "w",
                samplerate=FLAC_RATE,
                channels=last - first,
                format="FLAC",
                subtype=subtype,
                compression_level=1.0,
            ) as file:
                for block in _blocks(wav):
                    file.write(np.ascontiguousarray(block[:, first:last]))
        return files


class WavPack:
    """The command line of WavPack, all channels in one file."""

    name = "WavPack -hhx"

    @staticmethod
    def missing() -> str:
        """Why it cannot run; "" if it can."""
        absent = [each for each in ("wavpack", "wvunpack") if not shutil.which(each)]
        return f"{', '.join(absent)}: not installed" if absent else ""

    def encode(self, wav: Path, folder: Path, advance: Advance) -> int:
        """As `Coder`."""
        target = folder / "take.wv"
        _run("wavpack", "-hhx", "-q", str(wav), "-o", str(target))
        advance(_samples(wav))
        return target.stat().st_size

    def check(self, wav: Path, folder: Path, watch: Stopwatch, advance: Advance) -> None:
        """As `Coder`."""
        target = folder / "take.wav"
        with watch:
            _run("wvunpack", "-q", str(folder / "take.wv"), "-o", str(target))
        if not filecmp.cmp(wav, target, shallow=False):
            raise _differs(self.name, wav)
        advance(_samples(wav))


def classic_coders() -> tuple[list[Coder], list[str]]:
    """Those that this machine has, and a sentence for each that it has not."""
    coders: list[Coder] = [
        General("gzip -9", lambda path, mode: gzip.GzipFile(path, mode, 9)),
        General("xz -6 (lzma)", lzma.LZMAFile),
        Flac(),
    ]
    missing = WavPack.missing()
    if not missing:
        coders.append(WavPack())
    return coders, [f"{WavPack.name}: {missing}"] if missing else []


def _samples(wav: Path) -> int:
    parts = read_parts(wav)
    return parts.frames * parts.channels


def _sample_bytes(wav: Path) -> Iterator[bytes]:
    parts = read_parts(wav)
    with wav.open("rb") as file:
        file.seek(parts.offset)
        left = parts.end - parts.offset
        while left:
            piece = file.read(min(_PIECE, left))
            left -= len(piece)
            yield piece


def _blocks(wav: Path) -> Iterator[np.ndarray]:
    """Samples (n, C) int32, the highest bit of each highest."""
    with soundfile.SoundFile(wav) as file:
        yield from file.blocks(_FRAMES, dtype="int32", always_2d=True)


def _flac(folder: Path, group: int, first: int) -> Path:
    return folder / f"{group}-{first}.flac"


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CodecctlError(f"{words[0]}: failed with {done.returncode}: {said}")


def _differs(coder: str, wav: Path) -> CodecctlError:
    return CodecctlError(f"{coder}: what was decoded is not what was coded ({wav.name})")
