"""The compiled range coder: the bytes of `constriction`, and what other bytes come to."""

from __future__ import annotations

from collections.abc import Sequence

import constriction
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codecctl.engine.lossless import words
from codecctl.engine.lossless.compiled import COMPILES
from codecctl.errors import DataError

pytestmark = pytest.mark.skipif(not COMPILES, reason="numba is not installed")

WHOLE = 1 << 24
LAST_WORD = (1 << 32) - 1
KINDS = ("even", "ones", "peak", "drawn", "few")


def row_of(kind: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Frequencies (V,) float32 of 1 and more that add up to at most 2^24."""
    if kind == "even":
        return np.full(count, WHOLE // count, np.float32)
    row = np.ones(count)
    if kind == "peak":  # the largest sum, or nearly
        row[rng.integers(count)] += WHOLE - count - rng.integers(3)
    if kind == "drawn":
        shares = rng.gamma(0.1, size=count) + 1e-9
        row += np.floor(shares / shares.sum() * (WHOLE - count))
    if kind == "few":
        row += rng.integers(0, 9, count)
    return row.astype(np.float32)


@st.composite
def messages(draw: st.DrawFn) -> tuple[list[int], list[np.ndarray]]:
    """Symbols, each with its frequencies; likely and unlikely ones, the first and the last."""
    count = draw(st.sampled_from((2, 3, 15, 16, 17, 33, 256, 1000)))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=12))
    rows = [row_of(kind, count, rng) for kind in kinds]
    choices = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    symbols = [
        (0, count - 1, int(row.argmax()), int(rng.integers(count)))[choice]
        for row, choice in zip(rows, choices, strict=True)
    ]
    return symbols, rows


def put_all(symbols: Sequence[int], rows: Sequence[np.ndarray]) -> list[int]:
    """The words of symbols."""
    (state,) = words.states(1)
    written = np.zeros(len(symbols) + words.END_WORDS, np.uint32)
    for symbol, row in zip(symbols, rows, strict=True):
        words.put(state, written, row, symbol)
    words.finish(state, written)
    found: list[int] = written[: int(state[3])].tolist()
    return found


def take_all(coded: Sequence[int], rows: Sequence[np.ndarray]) -> list[int]:
    """The symbols of words; an error where no encoder wrote them."""
    (state,) = words.states(1)
    read = np.array(coded, np.uint32)
    words.begin(state, read)
    symbols = []
    for row in rows:
        symbols.append(words.take(state, read, row))
        if symbols[-1] == words.NOTHING:
            raise DataError("nothing was put here")
    words.require_end(state, len(read))
    return symbols


def oracle(symbols: Sequence[int], rows: Sequence[np.ndarray]) -> list[int]:
    """The words that `constriction` writes."""
    encoder = constriction.stream.queue.RangeEncoder()
    family = constriction.stream.model.Categorical(perfect=False)
    for symbol, row in zip(symbols, rows, strict=True):
        encoder.encode(np.array([symbol], np.int32), family, row[None])
    found: list[int] = encoder.get_compressed().tolist()
    return found


@settings(deadline=None, max_examples=60)
@given(messages())
@example(([], []))
def test_words_are_those_of_the_oracle_and_come_back(
    message: tuple[list[int], list[np.ndarray]],
) -> None:
    symbols, rows = message
    coded = put_all(symbols, rows)
    assert coded == oracle(symbols, rows)
    assert take_all(coded, rows) == symbols


@pytest.mark.parametrize("count", [2, 256, 65536])
def test_every_symbol_of_a_long_message_comes_back(count: int) -> None:
    rng = np.random.default_rng(count)
    length = 300 if count < 1000 else 60
    rows = [row_of(KINDS[index % len(KINDS)], count, rng) for index in range(length)]
    symbols = [int((row.cumsum() > rng.random() * row.sum()).argmax()) for row in rows]
    coded = put_all(symbols, rows)
    assert coded == oracle(symbols, rows)
    assert take_all(coded, rows) == symbols


def straddling(length: int, row: np.ndarray) -> list[int]:
    """Symbols that keep an end of a word within their interval, for as long as one can."""
    (state,) = words.states(1)
    written = np.zeros(length + words.END_WORDS, np.uint32)
    symbols = [len(row) // 2]
    words.put(state, written, row, symbols[0])
    while len(symbols) < length:
        low, width = int(state[0]), int(state[1])
        end = 1 << 64 if low + width > 1 << 64 else ((low >> 32) + 1) << 32
        place = (end - low) // (width >> 24) * len(row) // WHOLE
        symbols.append(min(place, len(row) - 1))
        words.put(state, written, row, symbols[-1])
    return symbols


@pytest.mark.parametrize("count", [3, 7, 255, 256])
@pytest.mark.parametrize("length", range(1, 40, 3))
def test_a_carry_runs_through_all_words_that_wait_for_it(count: int, length: int) -> None:
    row = row_of("even", count, np.random.default_rng(0))
    waiting = straddling(length, row)
    for following in ([], [0], [count - 1], [0] * 9, [count - 1] * 9):
        symbols = [*waiting, *following]
        rows = [row] * len(symbols)
        coded = put_all(symbols, rows)
        assert coded == oracle(symbols, rows)
        assert take_all(coded, rows) == symbols


def test_a_carry_through_several_words_is_among_the_cases() -> None:
    row = row_of("even", 256, np.random.default_rng(0))
    low, high = (put_all([*straddling(37, row), each], [row] * 38) for each in (0, 255))
    assert low[1:-3] == [LAST_WORD] * (len(low) - 4) and high[1:-3] == [0] * (len(high) - 4)
    assert len(low) > 7 and high[0] == low[0] + 1


@settings(deadline=None, max_examples=60)
@given(messages(), st.lists(st.sampled_from((0, 1, 7 << 20, 1 << 31, LAST_WORD)), max_size=6))
def test_any_words_are_refused_or_are_what_their_symbols_are_coded_to(
    message: tuple[list[int], list[np.ndarray]], coded: list[int]
) -> None:
    _, rows = message
    try:
        found = take_all(coded, rows)
    except DataError:
        return
    assert put_all(found, rows) == coded


def test_words_that_are_changed_missing_or_left_are_refused() -> None:
    rng = np.random.default_rng(3)
    rows = [row_of("drawn", 256, rng) for _ in range(40)]
    symbols = [int(rng.integers(256)) for _ in rows]
    coded = put_all(symbols, rows)
    for damaged in ([*coded, 0], [*coded, 5]):
        with pytest.raises(DataError, match="coded chunk: bytes are left after its last symbol"):
            take_all(damaged, rows)
    for damaged in (coded[:-1], [*coded[:-1], coded[-1] ^ 1]):
        with pytest.raises(DataError, match="coded chunk: no encoder wrote this"):
            take_all(damaged, rows)
    with pytest.raises(DataError, match="nothing was put here"):  # behind the last symbol
        take_all([LAST_WORD] * 4, [row_of("even", 3, rng)] * 2)
