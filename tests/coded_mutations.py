"""Damaged coded files, each made from a number and a seed, and what may come of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from codecctl.engine.lossless.container import MAGIC, RECORD
from codecctl.errors import CodecctlError

_NUMBERS = (0, 1, -1, 2, 7, 40, 2**16, 2**40)


def judge(source: Path, wav: bytes, decode: Callable[[Path, Path], object]) -> str:
    """`refused` in one line with nothing left behind, `equal`, or what was wrong."""
    target = source.with_name("decoded.wav")
    try:
        decode(source, target)
    except CodecctlError as error:
        said = str(error)
        clean = bool(said) and "\n" not in said and not target.exists()
        return "refused" if clean else f"not clean: {said!r}"
    equal = target.read_bytes() == wav
    target.unlink()
    return "equal" if equal else "other audio"


def mutated(content: bytes, number: int, *, seed: int) -> bytes:
    """A damaged copy; every other one has true CRCs, so that only what lies deeper can tell."""
    rng = np.random.default_rng([seed, number])
    if number % 2 == 0:
        parts = [content]
        _damage(parts, rng)
        return parts[0]
    records = records_of(content)
    if rng.random() < 0.4:
        _forge(records, rng)
    else:
        _damage(records, rng)
    return MAGIC + b"".join(RECORD.pack(len(r), zlib.crc32(r)) + r for r in records)


def records_of(content: bytes) -> list[bytes]:
    """The contents of all records of a sound file."""
    at, records = len(MAGIC), []
    while at < len(content):
        length, _ = RECORD.unpack_from(content, at)
        records.append(content[at + RECORD.size : at + RECORD.size + length])
        at += RECORD.size + length
    return records


def _forge(records: list[bytes], rng: np.random.Generator) -> None:
    """Another number in the header."""
    header = json.loads(records[0])
    name = str(rng.choice([name for name in header if name != "model"]))
    numbers = (*_NUMBERS, header[name] + 1)
    header[name] = numbers[int(rng.integers(len(numbers)))]
    records[0] = json.dumps(header).encode()


def _damage(parts: list[bytes], rng: np.random.Generator) -> None:
    """One to three bytes changed, gone or new, or parts exchanged."""
    for _ in range(int(rng.integers(1, 4))):
        index, other = (int(rng.integers(len(parts))) for _ in range(2))
        data = bytearray(parts[index])
        at, length = int(rng.integers(len(data) + 1)), int(rng.integers(1, 9))
        kind = int(rng.integers(4))
        if kind == 0 and at < len(data):
            data[at] = int(rng.integers(256))
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = rng.bytes(length)
        parts[index] = bytes(data)
        if kind == 3:
            parts[index], parts[other] = parts[other], parts[index]
