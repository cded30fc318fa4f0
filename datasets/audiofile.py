"""Audio files as they come: what they hold, whether all of it is there, and their samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import soundfile

from codecctl.datasets.container import Container, read_container
from codecctl.datasets.discovery import shown
from codecctl.errors import DataError

_BITS: Mapping[str, int] = MappingProxyType(
    {
        "PCM_S8": 8,
        "PCM_U8": 8,
        "PCM_16": 16,
        "PCM_24": 24,
        "PCM_32": 32,
        "FLOAT": 32,
        "DOUBLE": 64,
        "ALAC_16": 16,
        "ALAC_20": 20,
        "ALAC_24": 24,
        "ALAC_32": 32,
        "ULAW": 8,
        "ALAW": 8,
    }
)
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000
_RIFF_LIMIT = 2**32
_MOST_FRAMES_A_BYTE = 8192
"""No coder packs more: a FLAC frame of silence holds 65 535 samples in 11 bytes."""
_OGG_LAST_PAGE = 0x04


class _Info(Protocol):
    """What libsndfile says of a file."""

    channels: int
    frames: int
    samplerate: int
    format: str
    subtype: str


class AudioFileError(DataError):
    """A file cannot be taken as it is.

    Args:
        path: The file.
        reason: What was found, what was needed, and the fix.
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{shown(str(path))}: {reason}")


@dataclass(frozen=True)
class AudioFile:
    """What a file says about itself; no sample has been read."""

    path: Path
    channels: int
    frames: int
    sample_rate: int
    """Hz."""
    bits: int
    """Per sample; 0 where the coding is lossy and has none."""
    is_float: bool
    """Samples may be beyond full scale, or not numbers at all."""
    size: int
    """Bytes of the file."""
    mtime: float
    """Seconds since the epoch."""
    container: Container | None
    """Where the samples lie if they can be read without a decoder."""
    warnings: tuple[str, ...]
    coding: str = ""
    """As libsndfile calls it: `PCM_24`, `FLOAT`, `VORBIS`."""

    @property
    def is_integer(self) -> bool:
        """Whether samples are integers that come back exactly, as those of PCM and FLAC do."""
        return self.coding.startswith("PCM_")

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.sample_rate


def probe(path: Path) -> AudioFile:
    """Read the header of an audio file and compare what it announces with what is there.

    Raises:
        AudioFileError: Not audio, empty, truncated, or of an impossible rate.
    """
    try:
        status = path.stat()
        if status.st_size == 0:
            raise AudioFileError(path, "empty file (0 bytes)")
        container = read_container(path)
        if container is not None:
            _require_complete(path, container)
        info = soundfile.info(bytes(path))  # bytes: a name may be no text
    except OSError as error:
        raise AudioFileError(path, f"cannot be read: {error.strerror}") from error
    except soundfile.LibsndfileError as error:
        raise AudioFileError(path, _not_audio(path, str(error.error_string))) from error
    _require_plausible(path, info, status.st_size)
    plain = _plain(container, info)
    return AudioFile(
        path=path,
        channels=info.channels,
        frames=info.frames if plain is None else _frames(plain),
        sample_rate=info.samplerate,
        bits=_BITS.get(info.subtype, 0),
        is_float=info.subtype not in _BITS or info.subtype in ("FLOAT", "DOUBLE"),
        size=status.st_size,
        mtime=status.st_mtime,
        container=plain,
        warnings=_warnings(path, container),
        coding=info.subtype,
    )


def _require_plausible(path: Path, info: _Info, size: int) -> None:
    if info.format == "RAW":  # libsndfile takes anything named .au, .snd or .vox for headerless
        raise AudioFileError(path, _not_audio(path, "not recognised"))
    if info.frames <= 0:
        raise AudioFileError(path, "holds no samples (0 frames)")
    if info.frames > size * _MOST_FRAMES_A_BYTE:
        reason = f"the header announces {info.frames} frames, more than {size} bytes can hold"
        raise AudioFileError(path, f"truncated: {reason}; copy it again")
    if not _LOWEST_RATE <= info.samplerate <= _HIGHEST_RATE:
        needed = f"needed {_LOWEST_RATE} to {_HIGHEST_RATE} Hz"
        raise AudioFileError(path, f"found a rate of {info.samplerate} Hz, {needed}")


def _not_audio(path: Path, complaint: str) -> str:
    with path.open("rb") as file:
        start = file.read(16)
    if "not recognised" in complaint:
        return f"not audio: it starts with {start!r}; needed WAV, RF64, W64, FLAC, AIFF, CAF or Ogg"
    return f"damaged header: {complaint}"


def _require_complete(path: Path, container: Container) -> None:
    behind = container.file_size - container.offset
    if container.announced == 0 and behind > 0:
        reason = f"the header announces no samples but {behind} bytes follow it"
        raise AudioFileError(path, f"{reason}: the recorder did not close the file")
    if container.missing > 0:
        held = 100 * container.present / (container.present + container.missing)
        raise AudioFileError(
            path,
            f"truncated: the header announces {container.announced} bytes of samples, the file "
            f"holds {container.present} ({held:.1f} %); copy it again",
        )
    short = container.announced is not None and container.length_bytes == 4
    if short and container.file_size > _RIFF_LIMIT:
        reason = f"{container.file_size} bytes under a header that can announce 4 GiB"
        raise AudioFileError(path, f"{reason}: the true length is lost; rewrite it as RF64")


def _plain(container: Container | None, info: _Info) -> Container | None:
    """The container if our own reader and libsndfile agree on what it holds."""
    if container is None or container.format is None:
        return None
    found = container.format
    coding = f"PCM_{found.bits}"
    if found.is_float:
        coding = "FLOAT" if found.bits == 32 else "DOUBLE"
    if (found.channels, coding) != (info.channels, info.subtype):
        return None
    # Of a W64 file, libsndfile takes padding and later chunks for samples.
    longer = info.format == "W64" and info.frames > _frames(container)
    return container if longer or info.frames == _frames(container) else None


def _frames(container: Container) -> int:
    assert container.format is not None, container
    return container.present // (container.format.channels * container.format.bits // 8)


def _warnings(path: Path, container: Container | None) -> tuple[str, ...]:
    if container is not None and container.announced is None:
        return ("the header leaves the length open; everything up to the end of the file is taken",)
    if path.suffix.lower() in (".ogg", ".oga", ".opus") and not _ogg_ends(path):
        return ("the last Ogg page is not marked as the end; the file may be cut short",)
    return ()


def _ogg_ends(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2**17))
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & _OGG_LAST_PAGE)
