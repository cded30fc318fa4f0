"""Damaged audio files, made from a seed: case number n of a seed is always the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from .audio_bases import W64_TAIL, Base, Chunk

_EXTREMES = (
    0,
    1,
    2,
    3,
    7,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 2,
    2**32 - 1,
    2**63,
    2**64 - 1,
)


@dataclass(frozen=True)
class Case:
    """A damaged file."""

    base: str
    suffix: str
    data: bytes
    how: str


def case(number: int, *, seed: int, sound: tuple[Base, ...]) -> Case:
    """A damaged file: one base in turn, one or two kinds of damage."""
    generator = random.Random(f"{seed}/{number}")
    base = sound[number % len(sound)]
    data, done = base.data, []
    for _ in range(1 if generator.random() < 0.8 else 2):
        kind = generator.choice(list(_DAMAGES))
        data = _DAMAGES[kind](data, base, generator)
        done.append(kind)
    return Case(base.name, base.suffix, data, "+".join(done))


def _head_end(data: bytes, base: Base) -> int:
    """Where the samples begin, roughly; all of it matters in a file without samples."""
    marks = [data.find(mark) for mark in (b"data", b"SSND")] if base.family else [60]
    found = [mark for mark in marks if mark >= 0]
    return min(len(data), (max(found) + 40) if found else 60)


def _flip(data: bytes, base: Base, generator: random.Random) -> bytes:
    changed = bytearray(data)
    end = _head_end(data, base)
    for _ in range(generator.randint(1, 6)):
        if end:
            changed[generator.randrange(end)] ^= 1 << generator.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, base: Base, generator: random.Random) -> bytes:
    near = generator.random() < 0.6
    return data[: generator.randrange((_head_end(data, base) if near else len(data)) + 1)]


def _number(data: bytes, base: Base, generator: random.Random) -> bytes:
    """Any field of the header becomes an extreme number, of either byte order."""
    width = generator.choice((2, 4, 8))
    end = max(0, _head_end(data, base) - width)
    position = generator.randrange(end + 1) & ~(1 if generator.random() < 0.9 else 0)
    value = generator.choice(_EXTREMES) % (1 << 8 * width)
    order: Literal["little", "big"] = generator.choice(("little", "big"))
    field = value.to_bytes(width, order)
    return data[:position] + field + data[position + width :]


def _chunks(
    data: bytes,
    base: Base,
    generator: random.Random,
    change: Callable[[list[Chunk], random.Random], None],
) -> bytes:
    if base.family is None or len(data) < base.family.prefix + base.family.head.size:
        return _number(data, base, generator)
    prefix, chunks = base.family.split(data)
    if chunks:
        change(chunks, generator)
    return base.family.join(prefix, chunks)


def _size(data: bytes, base: Base, generator: random.Random) -> bytes:
    def change(chunks: list[Chunk], generator: random.Random) -> None:
        index = generator.randrange(len(chunks))
        near = len(chunks[index].body) + generator.randint(-9, 9)
        value = generator.choice((*_EXTREMES, max(0, near)))
        chunks[index] = Chunk(chunks[index].name, chunks[index].body, size=value)

    return _chunks(data, base, generator, change)


def _swap(data: bytes, base: Base, generator: random.Random) -> bytes:
    def change(chunks: list[Chunk], generator: random.Random) -> None:
        one, other = generator.randrange(len(chunks)), generator.randrange(len(chunks))
        chunks[one], chunks[other] = chunks[other], chunks[one]

    return _chunks(data, base, generator, change)


def _duplicate(data: bytes, base: Base, generator: random.Random) -> bytes:
    def change(chunks: list[Chunk], generator: random.Random) -> None:
        chunks.insert(generator.randrange(len(chunks) + 1), generator.choice(chunks))

    return _chunks(data, base, generator, change)


def _delete(data: bytes, base: Base, generator: random.Random) -> bytes:
    def change(chunks: list[Chunk], generator: random.Random) -> None:
        del chunks[generator.randrange(len(chunks))]

    return _chunks(data, base, generator, change)


def _insert(data: bytes, base: Base, generator: random.Random) -> bytes:
    def change(chunks: list[Chunk], generator: random.Random) -> None:
        name = generator.choice((b"JUNK", b"\0\0\0\0", b"fmt ", b"data", b"LIST", b"ds64", b"COMM"))
        wide = len(chunks[0].name) == 16
        body = generator.randbytes(generator.randrange(64))
        size = generator.choice((None, None, 0, 2**32 - 1))
        new = Chunk(name + W64_TAIL if wide else name, body, size)
        chunks.insert(generator.randrange(len(chunks) + 1), new)

    return _chunks(data, base, generator, change)


def _format_field(data: bytes, base: Base, generator: random.Random) -> bytes:
    """Channels, rate, block align, bits and their like, in the chunk that holds the format."""

    def change(chunks: list[Chunk], generator: random.Random) -> None:
        for index, chunk in enumerate(chunks):
            if chunk.name[:4] in (b"fmt ", b"COMM", b"desc", b"ds64") and len(chunk.body) >= 16:
                width = generator.choice((2, 2, 4, 8))
                position = generator.randrange(0, len(chunk.body) - width + 1, 2)
                value = generator.choice((*_EXTREMES, 4, 5, 255, 256, 1024, 1025, 4096, 96000))
                field = (value % 2 ** (8 * width)).to_bytes(
                    width, "big" if chunk.name[:4] in (b"COMM", b"desc") else "little"
                )
                body = chunk.body[:position] + field + chunk.body[position + width :]
                chunks[index] = Chunk(chunk.name, body, chunk.size)
                return

    return _chunks(data, base, generator, change)


def _append(data: bytes, base: Base, generator: random.Random) -> bytes:
    count = generator.choice((1, 2, 3, 7, 100, 5000))
    return data + (bytes(count) if generator.random() < 0.3 else generator.randbytes(count))


_Damage = Callable[[bytes, Base, random.Random], bytes]
_DAMAGES: Mapping[str, _Damage] = MappingProxyType(
    {
        "flip": _flip,
        "truncate": _truncate,
        "number": _number,
        "size": _size,
        "swap": _swap,
        "duplicate": _duplicate,
        "delete": _delete,
        "insert": _insert,
        "format": _format_field,
        "append": _append,
    }
)
