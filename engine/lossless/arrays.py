"""WAV files to coded files and back without a trained model: `prediction`, then `integers`.

The file is that of `container`, with `MODEL` in the place of a fingerprint. A chunk is a segment of
`block` frames of all channels, coded from nothing: its effort, the shift of each channel (bits that
are zero in every sample), and what prediction leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from codecctl.engine.lossless import prediction
from codecctl.engine.lossless.container import VERSION, Header, Reader, Writer
from codecctl.engine.lossless.disk import Advance, Sizes, appearing, opened
from codecctl.engine.lossless.integers import Packer, Unpacker
from codecctl.engine.lossless.integers import check as check_of_integers
from codecctl.engine.lossless.parts import restored_sizes, restoring
from codecctl.engine.lossless.prediction import EFFORTS, MOST_CHANNELS, Predictor
from codecctl.engine.lossless.recursion import BLOCK
from codecctl.engine.lossless.samples import let_go, mapped_samples, seals_of, verbatim_of
from codecctl.engine.lossless.wav import WavParts, packed, read_parts, unpacked
from codecctl.errors import CodecctlError, DataError

_KIND = "linear prediction"
MODEL = f"{_KIND} 5"
"""What the header says where other files name their model."""
MOST_FRAMES = 1 << 17
_SHIFT_BITS, _EFFORT_BITS = 5, 3
_MOST_NUMBERS = 1 << 22
"""Of a segment."""
_AT_ONCE = 1 << 15
"""Numbers that are on their way together, about: as many as stay in the cache."""


def encode_array(
    source: Path,
    target: Path,
    *,
    effort: str = "normal",
    advance: Advance = lambda _count: None,
) -> Sizes:
    """Code a WAV file; `target` appears whole or not at all.

    Args:
        source: Of 8, 16 or 24 bits and at most 64 channels.
        target: Where the coded file goes.
        effort: One of `prediction.EFFORTS`; decoding finds it in the file.
        advance: Told how many samples are done.

    Raises:
        NotFoundError: There is no such source.
        DataError: It is no WAV file of integers, or of more channels.
    """
    parts = read_parts(source)
    if parts.channels > MOST_CHANNELS:
        raise DataError(
            f"{source}: found {parts.channels} channels, needed at most {MOST_CHANNELS}; "
            "write groups of them to files of their own"
        )
    verbatim, header = verbatim_of(source, parts), _header(parts)
    samples = mapped_samples(source, header, mode="r")
    with appearing(target) as path, path.open("wb") as file:
        writer = Writer(file)
        writer.header(header, verbatim)
        for start in range(0, header.frames, header.block):
            piece = np.asarray(samples[start : start + header.block])
            writer.record(_encode_segment(piece, header.bits, effort))
            let_go(samples)
            advance(len(piece) * header.channels)
        writer.record(seals_of(source, header))
        coded = file.tell()
    return Sizes(parts.size, coded, header.symbols)


def decode_array(
    source: Path,
    target: Path,
    *,
    frames: range | None = None,
    advance: Advance = lambda _count: None,
) -> Sizes:
    """Decode a file; the WAV file appears whole, compared with its hashes, or not at all.

    Args:
        source: What `encode_array` wrote.
        target: Where the WAV file goes.
        frames: One behind the other: a part, which becomes a WAV file of its own; None: all.
        advance: Told how many samples are done.

    Raises:
        NotFoundError: There is no such source.
        DataError: It is damaged, or needs a model.
        CodecctlError: This machine computes otherwise than the encoder's.
    """
    with opened(source) as reader:
        header = reader.header
        require_no_model(header, source)
        part = range(header.frames) if frames is None else frames
        wanted = range(part.start // header.block, -(-part.stop // header.block))
        with restoring(reader, target, frames) as samples:
            for start, piece in pieces(reader, wanted):
                begin, end = max(start, part.start), min(start + len(piece), part.stop)
                if begin < end:
                    inside = piece[begin - start : end - start]
                    samples[begin - part.start : end - part.start] = packed(inside, header.bits)
                if (start + len(piece)) % header.block == 0:
                    let_go(samples)
                advance(piece.size)
    return restored_sizes(source, target, header, frames)


def _header(parts: WavParts) -> Header:
    block = min(MOST_FRAMES, _MOST_NUMBERS // parts.channels)
    return Header(
        version=VERSION,
        channels=parts.channels,
        bits=parts.bits,
        rate=parts.rate,
        frames=parts.frames,
        block=block,
        chunk=block * parts.channels,
        symbol_bits=parts.bits,
        before=parts.offset,
        behind=parts.size - parts.end,
        model=MODEL,
        check=_check(),
    )


def require_some_model(header: Header, source: Path) -> None:
    """Refuse what was coded without a model, before one is loaded.

    Raises:
        DataError: It was.
    """
    if header.model == MODEL:
        raise DataError(f"{source}: coded without a model; decode it without --model")


def require_no_model(header: Header, source: Path) -> None:
    """Refuse what `encode_array` did not write, or not on a machine of this kind.

    Raises:
        DataError: It needs a model, or its header cannot be true.
        CodecctlError: This machine computes otherwise than the encoder's.
    """
    if header.model.startswith(_KIND) and header.model != MODEL:
        raise DataError(
            f"{source}: found {header.model[:40]!r}, needed {MODEL!r}; decode it with the codecctl "
            "that wrote it"
        )
    if header.model != MODEL:
        raise DataError(
            f"{source}: coded with the model {header.model[:12]}; decode it with --model of that"
        )
    if header.channels > MOST_CHANNELS or header.block > MOST_FRAMES:
        raise DataError(f"{source}: header: more channels or frames than a segment may have")
    if (
        header.chunk > _MOST_NUMBERS
        or header.chunk != header.block * header.channels
        or header.symbol_bits != header.bits
    ):
        raise DataError(f"{source}: header: chunks are not whole segments")
    if header.check != _check():
        raise CodecctlError(
            f"{source}: this machine computes otherwise than the one that coded it; nothing was "
            "written; decode it on a machine of the same kind"
        )


def _encode_segment(digits: np.ndarray, bits: int, effort: str) -> bytes:
    """Of samples as bytes, (T, C, bytes)."""
    channels = digits.shape[1]
    packer, predictor = Packer(channels), Predictor(channels, bits=bits, effort=effort)
    packer.number(list(EFFORTS).index(effort), _EFFORT_BITS)
    used = np.zeros(channels, np.int64)
    for rows in _rows(len(digits), channels):
        used |= np.bitwise_or.reduce(unpacked(digits[rows], bits), axis=0)
    shifts = [int(value & -value).bit_length() - 1 if value else 0 for value in used.tolist()]
    for shift in shifts:
        packer.number(shift, _SHIFT_BITS)
    for rows in _rows(len(digits), channels):
        values = unpacked(digits[rows], bits)
        values >>= np.array(shifts, np.int64)
        predictor.leave(values)
        packer.rows(values)
    return packer.bytes()


def _rows(frames: int, channels: int) -> Iterator[slice]:
    """Frames that are on their way together: whole blocks, but for the last ones."""
    size = max(1, _AT_ONCE // (BLOCK * channels)) * BLOCK
    for start in range(0, frames, size):
        yield slice(start, min(frames, start + size))


def pieces(reader: Reader, wanted: range) -> Iterator[tuple[int, np.ndarray]]:
    """First frame and samples (T, C) of the pieces of some segments, in order.

    Args:
        reader: Before the first segment; those before the wanted ones are not decoded.
        wanted: Numbers of segments, one behind the other.

    Raises:
        DataError: One of them is damaged.
    """
    header = reader.header
    most = 8 * header.chunk + (1 << 20)
    for index in range(wanted.start):
        reader.skip(f"segment {index}", most=most)
    for index in wanted:
        coded = reader.record(f"segment {index}", most=most)
        frames = header.length(index) // header.channels
        for start, piece in _decode_segment(coded, header, frames):
            yield index * header.block + start, piece


def _decode_segment(coded: bytes, header: Header, frames: int) -> Iterator[tuple[int, np.ndarray]]:
    unpacker = Unpacker(coded, header.channels)
    number, efforts = unpacker.number(_EFFORT_BITS), list(EFFORTS)
    if number >= len(efforts):
        raise DataError("coded segment: an effort that there is not")
    shifts = np.array([unpacker.number(_SHIFT_BITS) for _ in range(header.channels)], np.int64)
    predictor = Predictor(header.channels, bits=header.bits, effort=efforts[number])
    edge = 1 << (header.bits - 1)
    for rows in _rows(frames, header.channels):
        values = unpacker.rows(rows.stop - rows.start)
        inside = predictor.restore(values)
        values <<= shifts
        if not inside or not -edge <= values.min() <= values.max() < edge:
            raise DataError("coded segment: samples of more bits than the header says")
        yield rows.start, values
    unpacker.end()


def _check() -> int:
    """Of the tables and of the prediction."""
    return check_of_integers() ^ prediction.check()
