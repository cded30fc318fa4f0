r"""The file that a learned coder writes.

    8 bytes            89 43 43 54 4C 0D 0A 1A  ("\\x89CCTL\\r\\n\\x1a": no text survives as one)
    record             header: JSON, UTF-8, an object of the fields of `Header`
    record             verbatim: zlib of what stands before and behind the samples of the WAV file
    record x n         chunks of the stream of symbols, each coded from nothing, in order
    record             seals: MD5 of the samples (16 bytes), SHA-256 of the whole WAV file (32)

A record is its length and the CRC-32 of its bytes, both little-endian in 32 bits, and the bytes.
n = ceil(frames * channels / chunk). The stream is that of `datasets.tokens.blocked`. A reader can
walk from record to record without decoding any.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass, fields
from typing import BinaryIO

from codecctl.errors import DataError

MAGIC = b"\x89CCTL\r\n\x1a"
VERSION = 1
RECORD = struct.Struct("<II")
SEALS = 16 + 32
MOST_HEADER = 1 << 16
MOST_VERBATIM = 1 << 26
"""Bytes that are not samples; more is no recording."""


@dataclass(frozen=True)
class Header:
    """What a decoder has to know before the first chunk."""

    version: int
    channels: int
    bits: int
    """Of a sample."""
    rate: int
    """Hz."""
    frames: int
    block: int
    """Samples of a channel before the next one's."""
    chunk: int
    """Symbols of every chunk but the last."""
    symbol_bits: int
    before: int
    """Bytes of the WAV file before its samples."""
    behind: int
    model: str
    """Fingerprint of the exact model."""
    check: int
    """CRC-32 of frequencies that the model gave the encoder; a decoder's have to be the same."""

    @property
    def symbols(self) -> int:
        """Length of the stream."""
        return self.frames * self.channels

    @property
    def num_chunks(self) -> int:
        """Chunks of the stream."""
        return -(-self.symbols // self.chunk)

    def length(self, index: int) -> int:
        """Symbols of a chunk."""
        return min(self.chunk, self.symbols - index * self.chunk)


class Writer:
    """Writes the records of a file in their order.

    Args:
        file: Empty, open for bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(MAGIC)

    def header(self, header: Header, verbatim: bytes) -> None:
        """Write what comes first."""
        self.record(json.dumps(asdict(header), separators=(",", ":")).encode())
        self.record(zlib.compress(verbatim, 9))

    def record(self, content: bytes) -> None:
        """Write a record."""
        self._file.write(RECORD.pack(len(content), zlib.crc32(content)) + content)


class Reader:
    """Reads the records of a file in their order, and no byte that it does not have.

    Args:
        file: Open for bytes.
        name: How messages call it.
        size: Bytes of the file.

    Attributes:
        header: Of the file.
        header_bytes: That it takes.
        verbatim: What stands before and behind the samples.

    Raises:
        DataError: It is no such file, of another version, or damaged.
    """

    def __init__(self, file: BinaryIO, *, name: str, size: int) -> None:
        self._file = file
        self._name = name
        self._left = size
        if self._take(len(MAGIC)) != MAGIC:
            raise DataError(f"{name}: no file of codecctl encode")
        content = self.record("header", most=MOST_HEADER)
        self.header_bytes = len(content)
        self.header = self._header(content)
        packed = self.record("verbatim", most=MOST_VERBATIM)
        self.verbatim = self._unpacked(packed)

    def record(self, what: str, *, most: int) -> bytes:
        """The content of the next record.

        Args:
            what: It holds, for messages.
            most: Bytes that it may have.

        Raises:
            DataError: It is damaged or cut short.
        """
        length, crc = self._announced(what, most=most)
        content = self._take(length)
        if zlib.crc32(content) != crc:
            raise DataError(f"{self._name}: {what}: damaged (CRC); copy the file again")
        return content

    def skip(self, what: str, *, most: int) -> int:
        """Go on behind the next record without reading it.

        Args:
            what: It holds, for messages.
            most: Bytes that it may have.

        Returns:
            Bytes of its content.

        Raises:
            DataError: It is longer than it may be, or cut short.
        """
        length = self._announced(what, most=most)[0]
        if length > self._left:
            raise DataError(f"{self._name}: cut short: needed {length} more bytes")
        self._file.seek(length, os.SEEK_CUR)
        self._left -= length
        return length

    def end(self) -> tuple[bytes, bytes]:
        """MD5 of the samples and SHA-256 of the file; nothing may follow.

        Raises:
            DataError: Something else stands there.
        """
        seals = self.record("seals", most=SEALS)
        if len(seals) != SEALS or self._left:
            raise DataError(f"{self._name}: {self._left} bytes behind its end; copy the file again")
        return seals[:16], seals[16:]

    def _announced(self, what: str, *, most: int) -> tuple[int, int]:
        """Length and CRC of the next record."""
        length, crc = RECORD.unpack(self._take(RECORD.size))
        if length > most:
            raise DataError(f"{self._name}: {what}: announces {length} bytes, allowed: {most}")
        return length, crc

    def _take(self, count: int) -> bytes:
        content = self._file.read(count) if count <= self._left else b""
        if len(content) != count:
            raise DataError(f"{self._name}: cut short: needed {count} more bytes")
        self._left -= count
        return content

    def _header(self, content: bytes) -> Header:
        try:
            values = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{self._name}: header: no JSON: {error}") from error
        kinds = {field.name: {"int": int, "str": str}[str(field.type)] for field in fields(Header)}
        found = values if isinstance(values, dict) else {}
        for name, kind in kinds.items():
            if type(found.get(name)) is not kind:
                raise DataError(f"{self._name}: header: {name}: found {found.get(name)!r}")
        header = Header(**{name: found[name] for name in kinds})
        self._require_possible(header)
        return header

    def _require_possible(self, header: Header) -> None:
        if header.version != VERSION:
            raise DataError(
                f"{self._name}: format version {header.version}, needed {VERSION}; decode it with "
                "the codecctl that wrote it"
            )
        low = {"channels": 1, "rate": 0, "frames": 0, "block": 1, "chunk": 1}
        low |= {"before": 0, "behind": 0, "check": 0}
        wrong = [name for name, least in low.items() if getattr(header, name) < least]
        if header.bits not in (8, 16, 24) or header.channels > 1 << 16:
            wrong.append("bits or channels")
        if header.before + header.behind > MOST_VERBATIM:
            wrong.append("before or behind")
        if wrong:
            raise DataError(f"{self._name}: header: impossible {', '.join(wrong)}")
        if header.num_chunks * RECORD.size > self._left:
            raise DataError(
                f"{self._name}: header announces {header.num_chunks} chunks, more than "
                f"{self._left} bytes can hold"
            )

    def _unpacked(self, packed: bytes) -> bytes:
        wanted = self.header.before + self.header.behind
        inflater = zlib.decompressobj()
        try:
            content = inflater.decompress(packed, wanted + 1)
        except zlib.error as error:
            raise DataError(f"{self._name}: verbatim: no zlib: {error}") from error
        if len(content) != wanted or not inflater.eof or inflater.unused_data:
            raise DataError(f"{self._name}: verbatim: needed {wanted} bytes of the WAV file")
        return content
