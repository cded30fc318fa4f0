"""Range coding of symbols beside an arithmetic coder in Python that moves one bit at a time.

    .venv/bin/python benchmarks/entropy_coders.py [--symbols 4000] [--rounds 5]

256 symbols, each with frequencies of its own that add up to 2^24, as the learned coder has them;
process CPU time, one thread, medians of rounds that take turns, with the lowest and highest ratio
to the Python coder of the same round. `chunks side by side` is what the learned coder does (`words`
in a compiled loop, one symbol of each of 4 chunks at every place, from frequencies alone, so that
what makes tables of them is counted); its words are compared with those of `constriction`. Of that
there are three more lines: one call for each symbol, all in one call, and many numbers with one
table. The Python coder (`bitwise_coder`) makes cumulative tables for each symbol, in numpy, except
where one table is shared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import bitwise_coder
import constriction
import numpy as np

from codecctl.engine.lossless import words as word_coder
from codecctl.engine.lossless.compiled import compiled

Done = TypeVar("Done")
MANY = 50
"""Times more symbols where a table is shared, and times that chunks side by side are coded again:
the range coder is too fast for a clock."""
CHUNKS = 4


@dataclass(frozen=True)
class Speed:
    """Symbols a second."""

    encode: float
    decode: float


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--symbols", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    count = options.symbols // CHUNKS * CHUNKS
    rng = np.random.default_rng(0)
    shares = rng.gamma(0.3, size=(count, 256))
    counts = np.floor(shares / shares.sum(1, keepdims=True) * (2**24 - 256)) + 1
    symbols = np.array([rng.choice(256, p=row / row.sum()) for row in counts]).astype(np.int32)
    side_by_side(symbols[:CHUNKS], counts[:CHUNKS])  # compiles the loops
    own: dict[str, Callable[[], Speed]] = {
        "Python, bit by bit": partial(by_bits, symbols, counts),
        "chunks side by side": partial(side_by_side, symbols, counts),
        "constriction, one call each": partial(one_by_one, symbols, counts),
        "constriction, at once": partial(at_once, symbols, counts),
    }
    shared = rng.choice(256, p=counts[0] / counts[0].sum(), size=count * MANY).astype(np.int32)
    one: dict[str, Callable[[], Speed]] = {
        "one table, Python": partial(by_bits, shared[:count], counts[:1]),
        "one table, constriction": partial(with_one_table, shared, counts[0]),
    }
    for ways in (own, one):
        report([{name: way() for name, way in ways.items()} for _ in range(options.rounds)])
    print("load of the machine: " + ", ".join(f"{each:.1f}" for each in os.getloadavg()))


def report(rounds: Sequence[dict[str, Speed]]) -> None:
    """Print medians; the first way is what others are measured by."""
    (first, *_) = rounds[0]
    for name in rounds[0]:
        told = []
        for which in ("encode", "decode"):
            speeds = [getattr(each[name], which) for each in rounds]
            ratios = sorted(
                speed / getattr(each[first], which)
                for speed, each in zip(speeds, rounds, strict=True)
            )
            told.append(
                f"{which} {statistics.median(speeds):10.0f} symbols/s "
                f"({statistics.median(ratios):5.1f} x, {ratios[0]:.1f} to {ratios[-1]:.1f})"
            )
        print(f"{name + ':':<28} " + ", ".join(told))


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def by_bits(symbols: np.ndarray, counts: np.ndarray) -> Speed:
    """The coder in Python; one row of counts is shared."""
    tables, making = timed(lambda: [_cumulative(row) for row in counts])
    making = making if len(counts) > 1 else 0.0
    each = tables if len(counts) > 1 else tables * len(symbols)
    bits, encoding = timed(lambda: bitwise_coder.encode(symbols.tolist(), each))
    found, decoding = timed(lambda: bitwise_coder.decode(bits, each))
    assert found == symbols.tolist()
    return Speed(len(symbols) / (making + encoding), len(symbols) / (making + decoding))


def side_by_side(symbols: np.ndarray, counts: np.ndarray) -> Speed:
    """Chunks that lie behind each other in the symbols, one of each at every place."""
    chunks = symbols.reshape(CHUNKS, -1).astype(np.int64)
    rows = counts.astype(np.float32).reshape(CHUNKS, -1, counts.shape[1])
    rows = np.ascontiguousarray(rows.transpose(1, 0, 2))  # as a step of a model gives them
    shape = (CHUNKS, chunks.shape[1] + word_coder.END_WORDS)
    states, words = word_coder.states(CHUNKS), np.zeros(shape, np.uint32)

    def encode() -> None:
        for _ in range(MANY):
            states[:] = word_coder.states(CHUNKS)
            _put_all(states, words, rows, chunks)

    def decode() -> np.ndarray:
        for _ in range(MANY):
            states[:] = word_coder.states(CHUNKS)
            _take_all(states, words, rows, found)
        return found

    _, encoding = timed(encode)
    _require_same_words(states, words, rows, chunks)
    found = np.zeros_like(chunks)
    _, decoding = timed(decode)
    assert np.array_equal(found, chunks)
    return Speed(MANY * len(symbols) / encoding, MANY * len(symbols) / decoding)


@compiled
def _put_all(states: np.ndarray, words: np.ndarray, rows: np.ndarray, chunks: np.ndarray) -> None:
    """Code chunks (B, T) with frequencies (T, B, V)."""
    for place in range(chunks.shape[1]):
        for item in range(len(chunks)):
            word_coder.put(states[item], words[item], rows[place, item], chunks[item, place])
    for item in range(len(chunks)):
        word_coder.finish(states[item], words[item])


@compiled
def _take_all(states: np.ndarray, words: np.ndarray, rows: np.ndarray, found: np.ndarray) -> None:
    """Fill in what was coded."""
    for item in range(len(found)):
        word_coder.begin(states[item], words[item])
    for place in range(found.shape[1]):
        for item in range(len(found)):
            found[item, place] = word_coder.take(states[item], words[item], rows[place, item])


def _require_same_words(
    states: np.ndarray, words: np.ndarray, rows: np.ndarray, chunks: np.ndarray
) -> None:
    family = constriction.stream.model.Categorical(perfect=False)
    for item, chunk in enumerate(chunks):
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(chunk.astype(np.int32), family, np.ascontiguousarray(rows[:, item]))
        assert np.array_equal(encoder.get_compressed(), words[item, : int(states[item, 3])])


def one_by_one(symbols: np.ndarray, counts: np.ndarray) -> Speed:
    """A call of the range coder for each symbol."""
    family, rows = constriction.stream.model.Categorical(perfect=False), counts.astype(np.float32)

    def encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        for index in range(len(symbols)):
            encoder.encode(symbols[index : index + 1], family, rows[index : index + 1])
        words: np.ndarray = encoder.get_compressed()
        return words

    def decode(words: np.ndarray) -> list[int]:
        decoder = constriction.stream.queue.RangeDecoder(words)
        return [int(decoder.decode(family, rows[i : i + 1])[0]) for i in range(len(rows))]

    return _both(symbols, encode, decode)


def at_once(symbols: np.ndarray, counts: np.ndarray) -> Speed:
    """One call for all symbols, each with its frequencies."""
    family, rows = constriction.stream.model.Categorical(perfect=False), counts.astype(np.float32)

    def encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(symbols, family, rows)
        words: np.ndarray = encoder.get_compressed()
        return words

    def decode(words: np.ndarray) -> np.ndarray:
        found: np.ndarray = constriction.stream.queue.RangeDecoder(words).decode(family, rows)
        return found

    return _both(symbols, encode, decode)


def with_one_table(symbols: np.ndarray, counts: np.ndarray) -> Speed:
    """One call for all symbols, all with the same frequencies."""
    model = constriction.stream.model.Categorical(counts.astype(np.float32), perfect=False)

    def encode() -> np.ndarray:
        encoder = constriction.stream.queue.RangeEncoder()
        encoder.encode(symbols, model)
        words: np.ndarray = encoder.get_compressed()
        return words

    def decode(words: np.ndarray) -> np.ndarray:
        found: np.ndarray = constriction.stream.queue.RangeDecoder(words).decode(
            model, len(symbols)
        )
        return found

    return _both(symbols, encode, decode)


def timed(work: Callable[[], Done]) -> tuple[Done, float]:
    """What work gives, and its CPU seconds."""
    started = time.process_time()
    done = work()
    return done, time.process_time() - started


def _both(
    symbols: np.ndarray,
    encode: Callable[[], np.ndarray],
    decode: Callable[[np.ndarray], object],
) -> Speed:
    words, encoding = timed(encode)
    found, decoding = timed(lambda: decode(words))
    assert np.array_equal(np.asarray(found), symbols)
    return Speed(len(symbols) / encoding, len(symbols) / decoding)


def _cumulative(row: np.ndarray) -> list[int]:
    found: list[int] = np.concatenate([[0], np.cumsum(row)]).astype(np.int64).tolist()
    return found


if __name__ == "__main__":
    main()
