"""What FLAC needs for the symbols that a language model of samples is validated on."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from codecctl.datasets.token_stream import BLOCKED, MONO, TokenStream
from codecctl.datasets.tokens import mixed_down
from codecctl.engine.lossless.classic import FLAC_GROUPS, FLAC_RATE, FLAC_SUBTYPES, Flac

MOST_SYMBOLS = 1 << 23
"""Coded at most: about a second of work."""
STRETCH = 1 << 15
"""Frames of a stretch, where recordings are too long to be coded whole: eight blocks of FLAC."""
_BITS = 32
"""Of the integers that libsndfile takes, the highest bit of a sample highest."""


@dataclass(frozen=True)
class FlacBits:
    """Sizes over all that was coded."""

    coded_bytes: int
    symbols: int
    total: int
    """Symbols of all recordings; more than `symbols` where stretches were taken."""

    @property
    def bits_per_sample(self) -> float:
        """Of FLAC, for a symbol."""
        return 8 * self.coded_bytes / self.symbols

    @property
    def detail(self) -> str:
        """What was coded, and how."""
        share = "all" if self.symbols == self.total else f"{100 * self.symbols / self.total:.2g} %"
        return (
            f"{Flac.name} by libFLAC on {share} of the {self.total} symbols of the recordings that "
            "validate, channels in pairs or in groups of 8, whichever is smaller"
        )


def flac_bits(
    stream: TokenStream, names: Sequence[str], *, most_symbols: int = MOST_SYMBOLS
) -> FlacBits | None:
    """Code recordings as FLAC files in memory, whole or in stretches spread evenly over them.

    FLAC gets what the model gets: samples of the tokenizer's bits, in channels as recorded, or the
    one channel of a mix or choice. A chunk of the model alone would be too short for FLAC, which
    needs some thousand samples of a channel to gain what it can.

    Args:
        stream: What the model reads.
        names: Recordings that validate.
        most_symbols: Where they have more together, stretches of about as many are coded.

    Returns:
        Sizes, or None where there is no symbol.
    """
    total = sum(stream.recording(name).frames for name in names)
    pieces = list(_pieces(stream, names, total=total, most=most_symbols))
    coded = symbols = 0
    for name, start, frames in pieces:
        samples = _samples(stream, name, start, frames)
        coded += flac_size(samples, bits=stream.tokenizer.bits)
        symbols += samples.size
    return FlacBits(coded, symbols, total) if symbols else None


def flac_problem() -> str:
    """Why nothing can be coded as FLAC here; "" where it can."""
    if "FLAC" in soundfile.available_formats():
        return ""
    return f"libsndfile {soundfile.__libsndfile_version__} of this installation writes no FLAC"


def flac_size(samples: np.ndarray, *, bits: int) -> int:
    """Bytes of the FLAC files of some channels, in groups of 8 or 2, whichever is smaller.

    Args:
        samples: (C, T) signed integers.
        bits: Of a sample: 8, 16 or 24.
    """
    wide = np.ascontiguousarray((samples << (_BITS - bits)).astype(np.int32).T)  # (T, C)
    channels = wide.shape[1]
    return min(
        sum(_file_size(wide[:, at : at + group], bits) for at in range(0, channels, group))
        for group in {min(each, channels) for each in FLAC_GROUPS}
    )


def _file_size(samples: np.ndarray, bits: int) -> int:
    target = io.BytesIO()
    with soundfile.SoundFile(
        target,
        "w",
        samplerate=FLAC_RATE,
        channels=samples.shape[1],
        format="FLAC",
        subtype=FLAC_SUBTYPES[bits],
        compression_level=1.0,
    ) as file:
        file.write(np.ascontiguousarray(samples))
    return target.getbuffer().nbytes


def _pieces(
    stream: TokenStream, names: Sequence[str], *, total: int, most: int
) -> Iterator[tuple[str, int, int]]:
    """Recording, first frame and frames of what is coded."""
    infos = [stream.source.recording(name) for name in names]
    if total <= most:
        yield from ((info.name, 0, info.frames) for info in infos if info.frames)
        return
    stretches = [
        (info.name, start, min(STRETCH, info.frames - start))
        for info in infos
        for start in range(0, info.frames, STRETCH)
    ]
    count = max(1, min(len(stretches), len(stretches) * most // total))
    places = (np.arange(count) + 0.5) * len(stretches) / count
    yield from (stretches[place] for place in places.astype(np.intp).tolist())


def _samples(stream: TokenStream, name: str, start: int, frames: int) -> np.ndarray:
    """Symbols as signed samples of the tokenizer's bits, (C, frames) int64."""
    source, layout, tokenizer = stream.source, stream.layout, stream.tokenizer
    info = source.recording(name)
    every = range(info.channels)
    chosen = every if layout.mode in (BLOCKED, MONO) else [layout.capsule - 1]
    samples = source.read_integers(name, start, frames, chosen)
    if layout.mode == MONO:
        samples = mixed_down(samples)[None]
    signed: np.ndarray = tokenizer.tokens(samples, bits=info.source_bits) - tokenizer.zero
    return signed
