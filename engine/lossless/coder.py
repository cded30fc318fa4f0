"""Symbols to bytes and back with the frequencies of an exact model; chunks side by side.

Each chunk has a range coder of its own, so that how many are coded at once changes no byte. Where
loops are compiled all of it is one (`loops`); elsewhere operations of torch and `constriction` come
to the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

import constriction
import numpy as np
import torch

from codecctl.engine.lossless import loops
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.words import WORD_BYTES
from codecctl.errors import DataError

_Item = TypeVar("_Item")


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
    digits = [_digits(chunk, model) for chunk in chunks]
    if model.compiles:
        weights = model.weights()
        return [each for group in _groups(digits, model) for each in loops.encode(weights, group)]
    writers = [_Writer(chunk) for chunk in digits]
    for group in _groups(writers, model):
        _run(model, group)
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
    if model.compiles:
        weights = model.weights()
        return [
            _symbols(digits)
            for group in _groups([*zip(coded, lengths, strict=True)], model)
            for digits in loops.decode(weights, *zip(*group, strict=True))
        ]
    readers = [_Reader(words, n) for words, n in zip(coded, lengths, strict=True)]
    for group in _groups(readers, model):
        _run(model, group)
    return [_symbols(reader.digits(model.num_places)) for reader in readers]


def _groups(chunks: Sequence[_Item], model: ExactTransformer) -> Iterator[Sequence[_Item]]:
    """As many at once as suit a model."""
    for first in range(0, len(chunks), model.side_by_side):
        yield chunks[first : first + model.side_by_side]


def _run(model: ExactTransformer, coders: Sequence[_Coder]) -> None:
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

    def digits(self, places: int) -> np.ndarray:
        if not self._decoder.maybe_exhausted():
            raise DataError("coded chunk: bytes are left after its last symbol")
        return np.array(self._found, dtype=np.int64).reshape(self.length, places)


def _symbols(digits: np.ndarray) -> np.ndarray:
    """Symbols (T,) int64 of what was coded of each, (T, places)."""
    symbols: np.ndarray = digits @ (256 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))
    return symbols


def _digits(chunk: np.ndarray, model: ExactTransformer) -> np.ndarray:
    """Symbols (T,) as what is coded of each, (T, places) int32."""
    assert 0 < len(chunk) <= model.layout.context, len(chunk)
    if model.num_places == 1:
        return chunk.astype(np.int32)[:, None]
    shifts = 8 * np.arange(model.num_places - 1, -1, -1)
    digits: np.ndarray = ((chunk[:, None] >> shifts) & 255).astype(np.int32)
    return digits
