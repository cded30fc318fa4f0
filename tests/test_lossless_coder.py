"""Symbols to bytes and back: round trips, bytes that depend on nothing else, and nonsense."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from codecctl.engine.lossless.coder import decode, encode
from codecctl.errors import DataError

from .lossless_models import exact, symbols, trained

pytestmark = pytest.mark.long

MODELS = [(8, "full"), (16, "full"), (16, "factorised"), (24, "factorised")]


def chunks_of(bits: int) -> list[np.ndarray]:
    """Tones, noise, silence, extremes, and short ones."""
    top = (1 << bits) - 1
    rng = np.random.default_rng(bits)
    return [
        *symbols(bits, items=2, length=32),
        rng.integers(0, top, 32, endpoint=True),
        np.full(32, 1 << (bits - 1)),
        np.tile([0, top], 16),
        np.array([top]),
        rng.integers(0, top, 7, endpoint=True),
    ]


@pytest.mark.parametrize(("bits", "head"), MODELS)
def test_every_chunk_comes_back_however_many_are_coded_at_once(bits: int, head: str) -> None:
    model, chunks = exact(bits, head), chunks_of(bits)
    coded = encode(model, chunks)
    alone = [encode(model, [chunk])[0] for chunk in chunks]
    assert coded == alone
    lengths = [len(chunk) for chunk in chunks]
    for found, chunk in zip(decode(model, coded, lengths), chunks, strict=True):
        assert np.array_equal(found, chunk)
    assert np.array_equal(decode(model, coded[2:3], [32])[0], chunks[2])


def test_the_size_is_what_the_model_says_within_a_word() -> None:
    model, tokens = exact(8), symbols(8, items=4, length=32, seed=9)
    with torch.no_grad():
        bits = trained(8)(torch.from_numpy(tokens)).sum(1) / math.log(2)
    for coded, cost in zip(encode(model, list(tokens)), bits.tolist(), strict=True):
        assert 8 * len(coded) == pytest.approx(cost * 1.005 + 16, abs=34)


def test_bytes_that_no_encoder_wrote_are_refused_or_decode_to_other_symbols() -> None:
    model, chunk = exact(8), symbols(8, items=1, length=32)[0]
    (coded,) = encode(model, [chunk])
    with pytest.raises(DataError, match="found 3 bytes, needed whole words of 4"):
        decode(model, [coded[:3]], [32])
    with pytest.raises(DataError, match="bytes are left after its last symbol"):
        decode(model, [coded + bytes(64)], [32])
    outcomes = set()
    for place in range(len(coded)):
        damaged = bytes(b ^ 0xFF if i == place else b for i, b in enumerate(coded))
        try:
            outcomes.add(np.array_equal(decode(model, [damaged], [32])[0], chunk))
        except DataError:
            outcomes.add(False)
    assert False in outcomes
