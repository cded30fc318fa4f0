"""Symbols to bytes and back with the frequencies of an exact model; chunks side by side.

Each chunk has a range coder of its own, so that how many are coded at once changes no byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import constriction
import numpy as np
import torch

from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.errors import DataError

WORD_BYTES = 4
"""A coded chunk is a sequence of little-endian words of 32 bits."""


class _Coder(Protocol):
    """One chunk."""

    length: int
    """Symbols of the chunk."""

    def code(self, place: int, digit: int, frequencies: np.ndarray) -> int:
        """The digit of a symbol, coded with (1, V) frequencies."""


def encode(model: ExactTransformer, chunks: Sequence[np.ndarray]) -> list[bytes]:
    """Code chunks of symbols.

    Args:
        model: Predicts them.
        chunks: (T,) integers each, T from 1 to the model's context.

    Returns:
        The bytes of each.
    """
    writers = [_Writer(_digits(chunk, model)) for chunk in chunks]
    _run(model, writers)
    return [writer.bytes() for writer in writers]


def decode(
    model: ExactTransformer, coded: Sequence[bytes], lengths: Sequence[int]
) -> list[np.ndarray]:
    """The symbols of coded chunks.

    Args:
        model: That they were coded with.
        coded: What `encode` made.
        lengths: Symbols of each.

    Returns:
        (T,) int64 each.

    Raises:
        DataError: Bytes that no encoder writes.
    """
    readers = [_Reader(words, n) for words, n in zip(coded, lengths, strict=True)]
    _run(model, readers)
    return [reader.symbols(model.num_places) for reader in readers]


def _run(model: ExactTransformer, coders: Sequence[_Coder]) -> None:
    """Step all chunks through the model, as many side by side as suit it."""
    for first in range(0, len(coders), model.side_by_side):
        _run_side_by_side(model, coders[first : first + model.side_by_side])


def _run_side_by_side(model: ExactTransformer, coders: Sequence[_Coder]) -> None:
    """Step chunks through the model, from the first symbol to the end of the longest."""
    state = model.start(len(coders))
    previous = torch.zeros(len(coders), dtype=torch.int64)
    with torch.no_grad():
        for place in range(max(coder.length for coder in coders)):
            features = state.features(previous)
            digits: list[torch.Tensor] = []
            for digit in range(model.num_places):
                rows = model.frequencies(features, digits).numpy()
                found = [
                    coder.code(place, digit, rows[index : index + 1]) if place < coder.length else 0
                    for index, coder in enumerate(coders)
                ]
                digits.append(torch.tensor(found))
            previous = digits[0]
            for lower in digits[1:]:
                previous = previous * 256 + lower


class _Writer:
    """Writes digits (T, places)."""

    def __init__(self, digits: np.ndarray) -> None:
        self.length = len(digits)
        self._digits = digits
        self._encoder = constriction.stream.queue.RangeEncoder()
        self._family = constriction.stream.model.Categorical(perfect=False)

    def code(self, place: int, digit: int, frequencies: np.ndarray) -> int:
        symbol = self._digits[place, digit : digit + 1]
        self._encoder.encode(symbol, self._family, frequencies)
        return int(symbol[0])

    def bytes(self) -> bytes:
        coded: bytes = self._encoder.get_compressed().astype("<u4").tobytes()
        return coded


class _Reader:
    """Reads as many symbols."""

    def __init__(self, coded: bytes, length: int) -> None:
        if len(coded) % WORD_BYTES:
            raise DataError(f"coded chunk: found {len(coded)} bytes, needed whole words of 4")
        self.length = length
        self._found: list[int] = []
        words = np.frombuffer(coded, "<u4").astype(np.uint32)
        self._decoder = constriction.stream.queue.RangeDecoder(words)
        self._family = constriction.stream.model.Categorical(perfect=False)

    def code(self, place: int, digit: int, frequencies: np.ndarray) -> int:
        del place, digit
        try:
            symbol = int(self._decoder.decode(self._family, frequencies)[0])
        except (AssertionError, ValueError) as error:
            raise DataError(f"coded chunk: no encoder wrote this: {error}") from error
        self._found.append(symbol)
        return symbol

    def symbols(self, places: int) -> np.ndarray:
        if not self._decoder.maybe_exhausted():
            raise DataError("coded chunk: bytes are left after its last symbol")
        digits = np.array(self._found, dtype=np.int64).reshape(self.length, places)
        symbols: np.ndarray = digits @ (256 ** np.arange(places - 1, -1, -1, dtype=np.int64))
        return symbols


def _digits(chunk: np.ndarray, model: ExactTransformer) -> np.ndarray:
    """Symbols (T,) as what is coded of each, (T, places) int32."""
    assert 0 < len(chunk) <= model.layout.context, len(chunk)
    if model.num_places == 1:
        return chunk.astype(np.int32)[:, None]
    shifts = 8 * np.arange(model.num_places - 1, -1, -1)
    digits: np.ndarray = ((chunk[:, None] >> shifts) & 255).astype(np.int32)
    return digits
