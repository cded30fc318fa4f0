"""A plain folder of WAV files, or a list of audio files, read in windows.

Nothing is copied or held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import xxhash

from codecctl.datasets.audiofile import AudioFile, AudioFileError, probe
from codecctl.datasets.closing import Closing
from codecctl.datasets.discovery import shown
from codecctl.datasets.pcm import pcm_refusal
from codecctl.datasets.store import Corpus, RecordingInfo
from codecctl.errors import DataError, NotFoundError

SUFFIX = ".wav"
"""Lower case; the folder's names may be in any."""
_SAMPLED_BYTES = 1 << 16


@dataclass(frozen=True)
class Format:
    """What the files of a folder are, as the document's detection lists it."""

    stereo_files: tuple[str, ...]
    """Names of files of two channels and more."""
    mono_files: tuple[str, ...]

    @property
    def has_stereo(self) -> bool:
        """Whether a file has more than one channel."""
        return bool(self.stereo_files)

    @property
    def has_mono(self) -> bool:
        """Whether a file has one channel."""
        return bool(self.mono_files)

    @property
    def recommended(self) -> str:
        """`mixed`, `stereo` or `mono`."""
        if self.has_stereo and self.has_mono:
            return "mixed"
        return "stereo" if self.has_stereo else "mono"


class WavFolder(Closing):
    """The integer WAV files directly in a folder; reads like a store, at each file's own rate.

    Threads may read at the same time; it may be pickled, and used after a fork. Made by
    `WavFolder.open`.

    Args:
        path: The folder.
        recordings: A row for each file that can be used, sorted by name.
        left_out: A sentence for each other file.
    """

    def __init__(
        self, path: Path, recordings: tuple[RecordingInfo, ...], left_out: tuple[str, ...]
    ) -> None:
        self.path = path
        self.name = path.resolve().name
        self.recordings = recordings
        self.left_out = left_out
        self.corpora: tuple[Corpus, ...] = ()
        self.metadata: Mapping[str, Mapping[str, str]] = {}
        self.dtype = "pcm"
        self._by_name = {info.name: info for info in recordings}

    @staticmethod
    def open(path: Path) -> WavFolder:
        """Look at the header of every file; no sample is read but what tells copies apart.

        Raises:
            NotFoundError: There is no such folder.
            DataError: It holds no WAV file that can be used; gives the reasons.
        """
        if not path.is_dir():
            found = "a file" if path.exists() else "nothing"
            raise NotFoundError(f"audio directory {path}: found {found}, needed a folder")
        files = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
        wavs = [entry for entry in files if entry.suffix.lower() == SUFFIX]
        if not wavs:
            raise DataError(
                f"audio directory {path}: found no WAV file among {len(files)} entries, needed "
                "*.wav directly in it"
            )
        judged = [_row_or_reason(file) for file in wavs]
        rows = tuple(each for each in judged if isinstance(each, RecordingInfo))
        others = [f"{shown(entry.name)}: no WAV file" for entry in files if entry not in wavs]
        left_out = (*others, *(each for each in judged if isinstance(each, str)))
        if not rows:
            raise DataError(f"audio directory {path}: no file can be used: {'; '.join(left_out)}")
        return WavFolder(path, rows, left_out)

    @staticmethod
    def of_files(paths: Sequence[Path]) -> WavFolder:
        """Audio files of integers anywhere, of any format that holds them, under their paths.

        Raises:
            DataError: One of them cannot be used; says why.
        """
        rows = []
        for path in paths:
            row = _row_or_reason(path)
            if isinstance(row, str):
                raise DataError(f"{path.parent / row}" if path.parent != Path() else row)
            rows.append(replace(row, name=str(path), take=path.stem))
        return WavFolder(Path(), tuple(rows), ())

    @property
    def sample_rate(self) -> int:
        """Hz of most files; files of other rates are read as they are."""
        rates = [info.sample_rate for info in self.recordings]
        return max(sorted(set(rates)), key=rates.count)

    @property
    def rates(self) -> tuple[int, ...]:
        """Every rate, in Hz, rising."""
        return tuple(sorted({info.sample_rate for info in self.recordings}))

    @property
    def format(self) -> Format:
        """Which files have one channel, and which have more."""
        return Format(
            stereo_files=tuple(info.name for info in self.recordings if info.channels > 1),
            mono_files=tuple(info.name for info in self.recordings if info.channels == 1),
        )

    @property
    def fingerprint(self) -> str:
        """Hash of names, sizes, lengths and of the bytes at both ends of each file."""
        rows = [[i.name, i.source_size, i.frames, i.audio_hash] for i in self.recordings]
        return f"xxh3-128:{xxhash.xxh3_128_hexdigest(json.dumps(rows).encode())}"

    def recording(self, name: str) -> RecordingInfo:
        """The row of a file.

        Raises:
            NotFoundError: There is none of this name.
        """
        info = self._by_name.get(name)
        if info is None:
            raise NotFoundError(f"{name}: no WAV file of this name in {self.path}")
        return info

    def read_integers(
        self, name: str, start: int, frames: int, channels: Sequence[int]
    ) -> np.ndarray:
        """Read a span of some channels, exactly as the file holds it.

        Args:
            name: File.
            start: First frame.
            frames: Frames to read.
            channels: Indices from 0, in the order of the result.

        Returns:
            (len(channels), frames) int32; full scale is `2 ** (source_bits - 1)`.

        Raises:
            DataError: The span is outside the file, or the file cannot be read any more.
        """
        info = self.recording(name)
        if start < 0 or start + frames > info.frames:
            raise DataError(
                f"{name}: needed frames {start} to {start + frames}, found {info.frames} frames"
            )
        path = self.path / name
        try:
            with soundfile.SoundFile(bytes(path)) as file:
                file.seek(start)
                samples: np.ndarray = file.read(frames, dtype="int32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise DataError(f"{path}: cannot be read: {error}; copy it again") from error
        if len(samples) != frames:
            raise DataError(f"{path}: became shorter while it was used; start again")
        # libsndfile puts the highest bit of a sample highest.
        chosen: np.ndarray = samples.T[list(channels)]
        chosen >>= 32 - info.source_bits
        return chosen

    def read(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read a span as `read_integers`, as float32 with full scale at [-1, 1]."""
        integers = self.read_integers(name, start, frames, channels)
        audio = integers.astype(np.float32) * np.float32(
            2.0 ** (1 - self.recording(name).source_bits)
        )
        if out is None:
            return audio
        out[...] = audio
        return out

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Nothing: the system reads ahead within a file by itself."""

    def close(self) -> None:
        """Nothing: files are opened for each read."""


def _row_or_reason(path: Path) -> RecordingInfo | str:
    """The row of a file that holds integers, or why it cannot be used."""
    try:
        audio = probe(path)
    except AudioFileError as error:
        return f"{shown(path.name)}: {error.reason}"
    if pcm_refusal(audio):
        kind = f"{audio.bits}-bit floats" if audio.coding in ("FLOAT", "DOUBLE") else audio.coding
        return f"{shown(path.name)}: holds {kind}, needed integers of 8, 16, 24 or 32 bits"
    return _row(audio)


def _row(audio: AudioFile) -> RecordingInfo:
    return RecordingInfo(
        name=audio.path.name,
        scene="",
        take=audio.path.name,
        corpus="",
        array=f"unknown-{audio.channels}ch",
        channels=audio.channels,
        frames=audio.frames,
        sample_rate=audio.sample_rate,
        dtype="pcm",
        source_name=audio.path.name,
        source_rate=audio.sample_rate,
        source_bits=audio.bits,
        source_frames=audio.frames,
        source_size=audio.size,
        source_mtime=audio.mtime,
        source_hash="",
        audio_offset=-1,
        scale_offset=-1,
        check_offset=-1,
        file_size=audio.size,
        structure_hash="",
        audio_hash=_ends_hash(audio.path, audio.size),
    )


def _ends_hash(path: Path, size: int) -> str:
    """Hash of the size and of both ends of a file: copies have the same, at any length."""
    digest = xxhash.xxh3_128(str(size).encode())
    for block in _ends(path, size):
        digest.update(block)
    return f"xxh3-128:{digest.hexdigest()}"


def _ends(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield file.read(_SAMPLED_BYTES)
        file.seek(max(0, size - _SAMPLED_BYTES))
        yield file.read(_SAMPLED_BYTES)
