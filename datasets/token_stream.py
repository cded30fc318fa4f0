"""Recordings as streams of symbols, for a language model that codes one after the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import xxhash

from codecctl.datasets.store import AudioSource, RecordingInfo
from codecctl.datasets.tokens import Tokenizer, mixed_down, rectangles
from codecctl.datasets.view import View
from codecctl.errors import DataError

MONO, ONE, BLOCKED = "mono", "one", "blocked"


class IntegerSource(AudioSource, Protocol):
    """Recordings whose samples are the integers of their sources: a `pcm` store, a WAV folder."""

    def read_integers(
        self, name: str, start: int, frames: int, channels: Sequence[int]
    ) -> np.ndarray:
        """(len(channels), frames) int32; full scale is `2 ** (source_bits - 1)`."""


@dataclass(frozen=True)
class Layout:
    """How the channels of a recording become one stream."""

    mode: str
    """mono: their mean; one: one of them; blocked: all, in turns of `block` samples."""
    capsule: int = 1
    """Of `one`, counted from 1."""
    block: int = 1024
    """Of `blocked`."""

    def length(self, info: RecordingInfo) -> int:
        """Symbols of a recording's stream."""
        return info.frames * (info.channels if self.mode == BLOCKED else 1)

    def misfit(self, info: RecordingInfo) -> str:
        """Why a recording has no such stream, "" when it has."""
        if self.mode == ONE and info.channels < self.capsule:
            return f"found {info.channels} channels, needed channel {self.capsule}"
        return ""


class TokenStream(View[IntegerSource]):
    """An integer source as if every recording had one channel: its stream of symbols.

    Reads like a store of float32: symbol s is (s - 2^(b - 1)) / 2^(b - 1), exactly, so that
    samplers, prefetching and validation need not know. Its frames are symbols: a position in a
    blocked stream is no time. Threads may read at the same time.

    Args:
        source: Opened; closed with the stream.
        tokenizer: Samples to symbols.
        layout: Channels to stream.

    Raises:
        DataError: No recording has such a stream.
    """

    def __init__(self, source: IntegerSource, tokenizer: Tokenizer, layout: Layout) -> None:
        streams = [_as_stream(i, layout) for i in source.recordings if not layout.misfit(i)]
        super().__init__(source, streams)
        self.tokenizer = tokenizer
        self.layout = layout
        self.left_out = tuple(
            f"{info.name}: {why}" for info in source.recordings if (why := layout.misfit(info))
        )
        """A sentence for each recording without a stream."""
        if not self.recordings:
            raise DataError(f"{source.name}: no recording can be used: {'; '.join(self.left_out)}")

    @property
    def sample_rate(self) -> int:
        """Hz of the source: `frames / sample_rate` are the seconds of all channels together."""
        return self.source.sample_rate

    @property
    def fingerprint(self) -> str:
        """Hash of the source's own, of the tokenizer and of the layout."""
        identity = json.dumps([self.source.fingerprint, repr(self.tokenizer), repr(self.layout)])
        return f"xxh3-128:{xxhash.xxh3_128_hexdigest(identity.encode())}"

    @property
    def is_exact(self) -> bool:
        """Whether the source can be had back from the symbols, sample by sample."""
        kept = self.layout.mode == BLOCKED or all(i.channels == 1 for i in self.source.recordings)
        return kept and all(self.tokenizer.is_exact(i.source_bits) for i in self.source.recordings)

    def tokens(self, name: str, start: int, length: int) -> np.ndarray:
        """A span of a stream, (length,) int64.

        Raises:
            DataError: It is outside the stream, or cannot be read.
        """
        info, found = self.source.recording(name), self.recording(name).frames
        if start < 0 or length < 0 or start + length > found:
            raise DataError(
                f"{name}: needed symbols {start} to {start + length}, found {found} symbols"
            )
        samples = self._samples(info, start, length)
        return self.tokenizer.tokens(samples, bits=info.source_bits)

    def read(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """A span of a stream as float32.

        Args:
            name: Recording.
            start: First symbol.
            frames: Symbols to read.
            channels: 0, the stream.
            out: (1, frames) float32 to read into.

        Returns:
            (1, frames) float32 in [-1, 1).

        Raises:
            DataError: As `tokens`.
        """
        assert tuple(channels) == (0,), channels
        audio = self.tokenizer.audio(self.tokens(name, start, frames))[None]
        if out is None:
            return audio
        out[...] = audio
        return out

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Tell the system what is read next, for streams that are time."""
        assert tuple(channels) == (0,), channels
        if self.layout.mode == ONE:
            self.source.will_need(name, start, frames, [self.layout.capsule - 1])
        elif self.layout.mode == MONO:
            every = range(self.source.recording(name).channels)
            self.source.will_need(name, start, frames, every)

    def _samples(self, info: RecordingInfo, start: int, length: int) -> np.ndarray:
        """The integers behind a span, (length,)."""
        read, layout = self.source.read_integers, self.layout
        if layout.mode == ONE:
            one: np.ndarray = read(info.name, start, length, [layout.capsule - 1])[0]
            return one
        if layout.mode == MONO:
            return mixed_down(read(info.name, start, length, range(info.channels)))
        parts = [
            read(info.name, part.start, part.frames, part.channels).reshape(-1)[part.cut]
            for part in rectangles(
                start,
                length,
                channels=info.channels,
                frames=info.frames,
                block=layout.block,
            )
        ]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


def _as_stream(info: RecordingInfo, layout: Layout) -> RecordingInfo:
    """A row of a stream; it has no place in a file."""
    return replace(info, channels=1, frames=layout.length(info), dtype="float32", audio_offset=-1)
