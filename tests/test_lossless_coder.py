"""Symbols to bytes and back: round trips, bytes that depend on nothing else, and nonsense."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from codecctl.engine.lossless.coder import decode, encode
from codecctl.engine.lossless.compiled import COMPILES
from codecctl.engine.lossless.exact import ExactTransformer
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


@pytest.mark.parametrize(("bits", "head"), MODELS)
def test_compiled_loops_and_tensors_decode_each_other(bits: int, head: str) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    loops, tensors = (
        ExactTransformer(trained(bits, head), compiles=each) for each in (True, False)
    )
    chunks = chunks_of(bits)
    lengths, coded = [len(chunk) for chunk in chunks], encode(loops, chunks)
    assert coded == encode(tensors, chunks)
    for model in (loops, tensors):
        for found, chunk in zip(decode(model, coded, lengths), chunks, strict=True):
            assert np.array_equal(found, chunk)


def test_a_chunk_longer_than_the_steps_of_a_call_comes_back() -> None:
    model = ExactTransformer(trained(8, context=150))
    (chunk,) = symbols(8, items=1, length=150)
    assert np.array_equal(decode(model, encode(model, [chunk]), [150])[0], chunk)


def test_the_size_is_what_the_model_says_within_a_word() -> None:
    model, tokens = exact(8), symbols(8, items=4, length=32, seed=9)
    with torch.no_grad():
        bits = trained(8)(torch.from_numpy(tokens)).sum(1) / math.log(2)
    for coded, cost in zip(encode(model, list(tokens)), bits.tolist(), strict=True):
        assert 8 * len(coded) == pytest.approx(cost * 1.005 + 16, abs=34)


@pytest.mark.parametrize("compiles", [COMPILES, False])
def test_bytes_that_no_encoder_wrote_are_refused_or_decode_to_other_symbols(
    compiles: bool,
) -> None:
    model = ExactTransformer(trained(8), compiles=compiles)
    chunk, other = symbols(8, items=2, length=32)
    coded, whole = encode(model, [chunk, other])
    with pytest.raises(DataError, match="found 3 bytes, needed whole words of 4"):
        decode(model, [coded[:3]], [32])
    with pytest.raises(DataError, match="bytes are left after its last symbol"):
        decode(model, [whole, coded + bytes(64)], [32, 32])
    outcomes = set()
    for place in range(0, len(coded), 1 if compiles else 4):
        damaged = bytes(b ^ 0xFF if i == place else b for i, b in enumerate(coded))
        try:
            found, sound = decode(model, [damaged, whole], [32, 32])
        except DataError:
            outcomes.add("refused")
        else:
            assert np.array_equal(sound, other)
            outcomes.add("equal" if np.array_equal(found, chunk) else "other")
    assert outcomes & {"refused", "other"}
    assert "equal" not in outcomes or not model.compiles  # the last bits do not matter there


def test_nothing_but_what_was_written_decodes_to_the_same_symbols() -> None:
    if not COMPILES:
        pytest.skip("numba is not installed")
    model, (chunk,) = exact(8), symbols(8, items=1, length=32)
    (coded,) = encode(model, [chunk])
    for damaged in (b"", coded[:-4], coded[:4], bytes(len(coded)), b"\xff" * len(coded)):
        with pytest.raises(DataError, match="coded chunk: "):
            decode(model, [damaged], [32])
