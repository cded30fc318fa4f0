"""Recordings of a source as WAV files of their own: what every coder of a comparison is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecctl.datasets.store import RecordingInfo
from codecctl.datasets.token_stream import BLOCKED, ONE, IntegerSource, Layout
from codecctl.datasets.tokens import Tokenizer, mixed_down
from codecctl.engine.lossless.wav import BITS, packed, wav_header
from codecctl.errors import DataError

_NUMBERS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Hearing:
    """How a language model hears a recording: its channels, and its symbols as samples."""

    layout: Layout
    tokenizer: Tokenizer

    def bits(self, source_bits: int) -> int:
        """Of a sample that the model codes."""
        return source_bits if self.tokenizer.is_exact(source_bits) else self.tokenizer.bits

    def channels(self, source_channels: int) -> int:
        """Channels of what the model codes."""
        return source_channels if self.layout.mode == BLOCKED else 1

    def heard(self, samples: np.ndarray, source_bits: int) -> np.ndarray:
        """What the model codes of samples (C, T): (channels, T) int64."""
        mixed = samples if self.layout.mode in (BLOCKED, ONE) else mixed_down(samples)[None]
        if self.tokenizer.is_exact(source_bits):
            return mixed.astype(np.int64)
        symbols = self.tokenizer.tokens(mixed, bits=source_bits)
        centered: np.ndarray = symbols - self.tokenizer.zero
        return centered


@dataclass(frozen=True)
class Take:
    """The beginning of a recording, or all of it."""

    source: IntegerSource
    info: RecordingInfo
    frames: int
    hearing: Hearing | None
    """None: samples as the source has them."""

    @property
    def name(self) -> str:
        """Of the recording."""
        return self.info.name

    @property
    def scene(self) -> str:
        """Of the recording; its name where it has none."""
        return self.info.scene or self.info.name

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.info.sample_rate

    @property
    def channels(self) -> int:
        """Channels of the WAV file."""
        count = self.info.channels
        return self.hearing.channels(count) if self.hearing else count

    @property
    def bits(self) -> int:
        """Of a sample of the WAV file."""
        bits = self.info.source_bits
        return self.hearing.bits(bits) if self.hearing else bits

    @property
    def samples(self) -> int:
        """Of all channels of the WAV file."""
        return self.frames * self.channels

    def write(self, path: Path) -> None:
        """Write it as a WAV file of integers.

        Raises:
            DataError: The source cannot be read.
        """
        with path.open("wb") as file:
            header = wav_header(
                channels=self.channels,
                bits=self.bits,
                rate=self.info.sample_rate,
                frames=self.frames,
            )
            file.write(header)
            at_once = max(1, _NUMBERS_AT_ONCE // self.info.channels)
            for start in range(0, self.frames, at_once):
                block = self._read(start, min(at_once, self.frames - start))
                file.write(packed(block.T, self.bits).tobytes())
            file.write(b"\0" * (self.samples * self.bits // 8 % 2))

    def _read(self, start: int, frames: int) -> np.ndarray:
        info, hearing = self.info, self.hearing
        one = hearing is not None and hearing.layout.mode == ONE
        wanted = [hearing.layout.capsule - 1] if hearing and one else range(info.channels)
        samples = self.source.read_integers(info.name, start, frames, wanted)
        return hearing.heard(samples, info.source_bits) if hearing else samples.astype(np.int64)


def takes_of(
    source: IntegerSource, names: Sequence[str], *, seconds: float, hearing: Hearing | None = None
) -> tuple[list[Take], list[str]]:
    """Takes of recordings, and a sentence for each recording that gives none.

    Args:
        source: Open.
        names: Recordings of it.
        seconds: Of each, from its beginning; 0 for all.
        hearing: Of a model; None for samples as they are.

    Raises:
        DataError: No recording gives any; says why.
    """
    takes, left_out = [], []
    for name in names:
        info = source.recording(name)
        frames = info.frames if not seconds else min(info.frames, round(seconds * info.sample_rate))
        take = Take(source, info, frames, hearing)
        why = _misfit(take)
        if why:
            left_out.append(f"{name}: {why}")
        else:
            takes.append(take)
    if not takes:
        raise DataError(
            f"{source.name}: no recording can be coded: {'; '.join(left_out) or 'none'}"
        )
    return takes, left_out


def _misfit(take: Take) -> str:
    if not take.frames:
        return "found no samples"
    if take.hearing and (why := take.hearing.layout.misfit(take.info)):
        return why
    return "" if take.bits in BITS else f"found samples of {take.bits} bits, needed 8, 16 or 24"
