"""WAV files to coded files and back, in pieces of a bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from codecctl.datasets.tokens import Tokenizer
from codecctl.engine.lossless import coder
from codecctl.engine.lossless.arrays import require_some_model
from codecctl.engine.lossless.container import VERSION, Header, Reader, Writer
from codecctl.engine.lossless.disk import Advance, Sizes, appearing, opened
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.parts import restored_sizes, restoring
from codecctl.engine.lossless.samples import (
    let_go,
    mapped_samples,
    read_chunk,
    seals_of,
    verbatim_of,
    write_chunk,
)
from codecctl.engine.lossless.states import state_bytes
from codecctl.engine.lossless.wav import WavParts, read_parts
from codecctl.engine.lossless.words import WORD_BYTES
from codecctl.errors import CodecctlError, DataError

STATE_BYTES = 1 << 28
"""Memory that the states of chunks side by side may take."""
MOST_AT_ONCE = 64
_CHECK_STEPS = 4


def chunks_at_once(model: ExactTransformer) -> int:
    """Chunks side by side: faster, and within bounded memory."""
    return max(1, min(MOST_AT_ONCE, STATE_BYTES // state_bytes(model)))


def encode_file(
    source: Path,
    target: Path,
    model: ExactTransformer,
    *,
    block: int,
    at_once: int = 0,
    advance: Advance = lambda _count: None,
) -> Sizes:
    """Code a WAV file; `target` appears whole or not at all.

    Args:
        source: Of 8, 16 or 24 bits, no more than the model's symbols.
        target: Where the coded file goes.
        model: Exact.
        block: Samples of a channel before the next one's.
        at_once: Chunks side by side; changes no byte. 0: as memory allows.
        advance: Told how many symbols are done.

    Raises:
        NotFoundError: There is no such source.
        DataError: It is no WAV file of integers, or of more bits than the model's symbols.
    """
    parts = read_parts(source)
    tokenizer = Tokenizer(model.layout.bits)
    _require_bits(source, parts, tokenizer)
    verbatim = verbatim_of(source, parts)
    header = _header(parts, model, block=block)
    samples = mapped_samples(source, header, mode="r")
    with appearing(target) as path, path.open("wb") as file:
        writer = Writer(file)
        writer.header(header, verbatim)
        for group in _groups(range(header.num_chunks), at_once or chunks_at_once(model)):
            chunks = [read_chunk(samples, header, tokenizer, index) for index in group]
            let_go(samples)
            for content in coder.encode(model, chunks):
                writer.record(content)
            advance(sum(len(chunk) for chunk in chunks))
        writer.record(seals_of(source, header))
        coded = file.tell()
    return Sizes(parts.size, coded, header.symbols)


def decode_file(
    source: Path,
    target: Path,
    model: ExactTransformer,
    *,
    frames: range | None = None,
    at_once: int = 0,
    advance: Advance = lambda _count: None,
) -> Sizes:
    """Decode a file; the WAV file appears whole, compared with its hashes, or not at all.

    Args:
        source: What `encode_file` wrote.
        target: Where the WAV file goes.
        model: That it was coded with.
        frames: One behind the other: a part, which becomes a WAV file of its own; None: all.
        at_once: Chunks side by side; changes no sample. 0: as memory allows.
        advance: Told how many symbols are done.

    Raises:
        NotFoundError: There is no such source.
        DataError: It is damaged, or was coded with another model.
        CodecctlError: This machine cannot reproduce what the encoder computed.
    """
    with opened(source) as reader:
        header, tokenizer = reader.header, Tokenizer(model.layout.bits)
        require_model(header, model, source)
        part = range(header.frames) if frames is None else frames
        side_by_side = at_once or chunks_at_once(model)
        with restoring(reader, target, frames) as samples:
            for group in groups(reader, model, chunks_of(header, part), side_by_side):
                for index, chunk in group:
                    write_chunk(samples, header, tokenizer, index, chunk, first=part.start)
                    let_go(samples)
                advance(sum(len(chunk) for _, chunk in group))
    return restored_sizes(source, target, header, frames)


def check_of(model: ExactTransformer) -> int:
    """CRC-32 of some frequencies of a model: equal where its arithmetic is."""
    state = model.start(2)
    found = 0
    symbols = torch.tensor([0, (1 << model.layout.bits) - 1])
    with torch.no_grad():
        for step in range(min(_CHECK_STEPS, model.layout.context)):
            features = state.features(symbols)
            digits: list[torch.Tensor] = []
            for _ in range(model.num_places):
                rows = model.frequencies(features, digits)
                found = zlib.crc32(rows.numpy().astype("<f4").tobytes(), found)
                digits.append(torch.tensor([step, 255 - step]))
            symbols = (symbols * 31 + 7 * step + 1) % (1 << model.layout.bits)
    return found


def _require_bits(source: Path, parts: WavParts, tokenizer: Tokenizer) -> None:
    if not tokenizer.is_exact(parts.bits):
        raise DataError(
            f"{source}: found samples of {parts.bits} bits, needed at most the "
            f"{tokenizer.bits} of the model's symbols; train one with data.bit_depth="
            f"{parts.bits}"
        )


def _header(parts: WavParts, model: ExactTransformer, *, block: int) -> Header:
    return Header(
        version=VERSION,
        channels=parts.channels,
        bits=parts.bits,
        rate=parts.rate,
        frames=parts.frames,
        block=block,
        chunk=model.layout.context,
        symbol_bits=model.layout.bits,
        before=parts.offset,
        behind=parts.size - parts.end,
        model=model.fingerprint,
        check=check_of(model),
    )


def chunks_of(header: Header, frames: range) -> range:
    """The chunks with all symbols of some frames: those of the blocks that hold them."""
    whole = header.block * header.channels
    first = frames.start // header.block * whole
    last = min(header.symbols, -(-frames.stop // header.block) * whole)
    return range(first // header.chunk, -(-last // header.chunk))


def groups(
    reader: Reader, model: ExactTransformer, wanted: range, at_once: int
) -> Iterator[list[tuple[int, np.ndarray]]]:
    """Number and symbols (T,) of some chunks, in order; those that are decoded side by side.

    Args:
        reader: Before the first chunk; those before the wanted ones are not decoded.
        model: That they were coded with.
        wanted: Numbers of chunks, one behind the other.
        at_once: Chunks side by side; changes no symbol.

    Raises:
        DataError: One of them is damaged.
    """
    header = reader.header
    most = WORD_BYTES * (header.chunk * model.num_places + 4)
    for index in range(wanted.start):
        reader.skip(f"chunk {index}", most=most)
    for group in _groups(wanted, at_once):
        coded = [reader.record(f"chunk {index}", most=most) for index in group]
        lengths = [header.length(index) for index in group]
        yield list(zip(group, coder.decode(model, coded, lengths), strict=True))


def require_model(header: Header, model: ExactTransformer, source: Path) -> None:
    """Refuse what was coded with another model, or where other numbers are computed.

    Raises:
        DataError: It is of another model, of none, or its header cannot be true.
        CodecctlError: This machine cannot reproduce what the encoder computed.
    """
    require_some_model(header, source)
    if header.model != model.fingerprint:
        raise DataError(
            f"{source}: coded with the model {header.model[:12]}, found {model.fingerprint[:12]}; "
            "decode it with --model of the one that it was coded with"
        )
    if (header.chunk, header.symbol_bits) != (model.layout.context, model.layout.bits):
        raise DataError(f"{source}: header: chunks and symbols are not those of its model")
    if not Tokenizer(model.layout.bits).is_exact(header.bits):
        raise DataError(f"{source}: header: samples of more bits than its symbols")
    if header.check != check_of(model):
        raise CodecctlError(
            f"{source}: this machine computes other frequencies than the one that coded it; "
            "nothing was written; decode it on a machine of the same kind"
        )


def _groups(wanted: range, at_once: int) -> Iterator[range]:
    for first in range(wanted.start, wanted.stop, at_once):
        yield range(first, min(first + at_once, wanted.stop))
