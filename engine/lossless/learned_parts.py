"""A part of what a learned coder wrote; beside `parts`, which needs no torch."""

from __future__ import annotations

from pathlib import Path

from codecctl.datasets.tokens import Tokenizer
from codecctl.engine.lossless.container import Header
from codecctl.engine.lossless.disk import Advance, Sizes, opened
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import chunks, chunks_at_once, require_model
from codecctl.engine.lossless.parts import part_of, sizes_of
from codecctl.engine.lossless.samples import write_chunk


def decode_part(
    source: Path,
    target: Path,
    model: ExactTransformer,
    frames: range,
    *,
    at_once: int = 0,
    advance: Advance = lambda _count: None,
) -> Sizes:
    """Decode some frames of what `encode_file` wrote.

    Args:
        source: The coded file.
        target: Where the WAV file goes; it appears whole or not at all.
        model: That it was coded with.
        frames: One behind the other, within the recording.
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
        wanted = chunks_of(header, frames)
        with part_of(reader, target, frames) as samples:
            found = chunks(reader, model, wanted, at_once=at_once or chunks_at_once(model))
            for index, chunk in found:
                write_chunk(samples, header, tokenizer, index, chunk, first=frames.start)
                advance(len(chunk))
    return sizes_of(header, frames, target)


def chunks_of(header: Header, frames: range) -> range:
    """The chunks with all symbols of some frames: those of the blocks that hold them."""
    whole = header.block * header.channels
    first = frames.start // header.block * whole
    last = min(header.symbols, -(-frames.stop // header.block) * whole)
    return range(first // header.chunk, -(-last // header.chunk))
