"""Chunks through an exact transformer and a range coder in one compiled loop.

The numbers are those of `ExactTransformer`, the bytes those of `constriction` with them (`words`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from codecctl.engine.lossless import words
from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.steps import Trunk, bend, counts, rounded, step
from codecctl.engine.lossless.sums import product
from codecctl.errors import DataError

_PLACES_A_CALL = 64
"""Between two calls an interrupt is seen."""


class Ends(NamedTuple):
    """The weights before and behind the trunk, of symbols of P digits below V."""

    embeddings: np.ndarray
    """(P, V, D) float32."""
    positions: np.ndarray
    """(T, D) float32."""
    mixes: np.ndarray
    """(P - 1, D, D) float32: how features change with a digit that is known."""
    mix_biases: np.ndarray
    """(P - 1, D) float32."""
    above: np.ndarray
    """(P - 1, V, D) float32: embeddings of such a digit."""
    logits: np.ndarray
    """(P, V, D) float32."""
    biases: np.ndarray
    """(P, V) float32."""
    sharp: np.ndarray
    """Table of exponentials for probabilities, float64."""
    scale: float
    """Of embeddings."""
    room: float
    """What frequencies add up to, beside 1 for each."""


class Weights(NamedTuple):
    """All of a model."""

    ends: Ends
    trunk: Trunk
    heads: int
    """Of attention."""


class Memory(NamedTuple):
    """Keys and values of chunks side by side."""

    keys: np.ndarray
    """(L, B, h, s, T) float32."""
    values: np.ndarray


class Coders(NamedTuple):
    """What chunks side by side are coded with."""

    states: np.ndarray
    """(B, 4) uint64, see `words`."""
    words: np.ndarray
    """(B, W) uint32."""


def encode(weights: Weights, chunks: Sequence[np.ndarray]) -> list[bytes]:
    """Code chunks of digits (T, P), side by side; the bytes of each."""
    digits, lengths = _padded(chunks)
    coders = _coders(len(chunks), digits[0].size + words.END_WORDS)
    _run(weights, coders, digits, lengths, decode=False)
    coded = []
    for state, written in zip(*coders, strict=True):
        words.finish(state, written)
        coded.append(written[: int(state[3])].astype("<u4").tobytes())
    return coded


def decode(weights: Weights, coded: Sequence[bytes], lengths: Sequence[int]) -> list[np.ndarray]:
    """The digits (T, P) int64 of coded chunks, side by side.

    Raises:
        DataError: Bytes that no encoder writes.
    """
    read = [_words(each) for each in coded]
    coders = _coders(len(coded), max(len(each) for each in read))
    for state, row, each in zip(*coders, read, strict=True):
        row[: len(each)] = each
        words.begin(state, row)
    places = len(weights.ends.logits)
    digits = np.zeros((len(coded), max(lengths), places), np.int64)
    _run(weights, coders, digits, np.array(lengths), decode=True)
    for state, each in zip(coders.states, read, strict=True):
        words.require_end(state, len(each))
    return [found[:length] for found, length in zip(digits, lengths, strict=True)]


def _padded(chunks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Digits (B, T, P) int64 of chunks of any length, and their lengths (B,)."""
    lengths = np.array([len(chunk) for chunk in chunks])
    digits = np.zeros((len(chunks), lengths.max(), chunks[0].shape[1]), np.int64)
    for row, chunk in zip(digits, chunks, strict=True):
        row[: len(chunk)] = chunk
    return digits, lengths


def _words(coded: bytes) -> np.ndarray:
    if len(coded) % words.WORD_BYTES:
        raise DataError(f"coded chunk: found {len(coded)} bytes, needed whole words of 4")
    return np.frombuffer(coded, "<u4")


def _coders(items: int, most: int) -> Coders:
    return Coders(words.states(items), np.zeros((items, most), np.uint32))


def _run(
    weights: Weights, coders: Coders, digits: np.ndarray, lengths: np.ndarray, *, decode: bool
) -> None:
    """All places of chunks; digits are read or filled in."""
    ends, trunk, heads = weights
    size = trunk.outward.shape[2] // heads
    shape = (len(trunk.inward), len(digits), heads, size, digits.shape[1])
    memory = Memory(np.empty(shape, np.float32), np.empty(shape, np.float32))
    places = digits.shape[1]
    for first in range(0, places, _PLACES_A_CALL):
        behind = min(first + _PLACES_A_CALL, places)
        if not _advance(ends, trunk, memory, coders, digits, lengths, first, behind, decode):
            raise DataError("coded chunk: no encoder wrote this")


@compiled
def _advance(
    ends: Ends,
    trunk: Trunk,
    memory: Memory,
    coders: Coders,
    digits: np.ndarray,
    lengths: np.ndarray,
    first: int,
    behind: int,
    decode: bool,
) -> bool:
    """Take chunks through some places; False: no encoder wrote what was read."""
    hidden = np.empty((len(digits), ends.positions.shape[1]))
    other = np.empty(hidden.shape)
    for place in range(first, behind):
        _embed(ends, digits, place, hidden)
        step(trunk, hidden, memory.keys, memory.values, place)
        for digit in range(digits.shape[2]):
            if digit:
                _mix(ends, trunk.gelu, digits[:, place], digit - 1, hidden, other)
            rows = counts(hidden, ends.logits[digit], ends.biases[digit], ends.sharp, ends.room)
            for item in range(len(digits)):
                if place >= lengths[item]:
                    continue
                state, written = coders.states[item], coders.words[item]
                if decode:
                    found = words.take(state, written, rows[item])
                    if found == words.NOTHING:
                        return False
                    digits[item, place, digit] = found
                else:
                    words.put(state, written, rows[item], digits[item, place, digit])
    return True


@compiled
def _embed(ends: Ends, digits: np.ndarray, place: int, hidden: np.ndarray) -> None:
    """Fill (B, D) with the embeddings of the symbols before a place."""
    for item in range(hidden.shape[0]):
        for column in range(hidden.shape[1]):
            total = 0.0
            for digit in range(digits.shape[2]):
                before = digits[item, place - 1, digit] if place else 0
                total += np.float64(ends.embeddings[digit, before, column])
            scaled = total * ends.scale
            hidden[item, column] = rounded(scaled + np.float64(ends.positions[place, column]))


@compiled
def _mix(
    ends: Ends,
    gelu: np.ndarray,
    digits: np.ndarray,
    known: int,
    features: np.ndarray,
    other: np.ndarray,
) -> None:
    """Change features (B, D) with a digit of (B, P) that is known; `other` is overwritten."""
    product(ends.mixes[known], features, other)
    for item in range(features.shape[0]):
        for column in range(features.shape[1]):
            above = np.float64(ends.above[known, digits[item, known], column])
            mixed = rounded(other[item, column] + np.float64(ends.mix_biases[known, column]))
            bent = bend(rounded(mixed + rounded(above * ends.scale)), gelu)
            features[item, column] = rounded(features[item, column] + bent)
