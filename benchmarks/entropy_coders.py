"""Range coding of symbols beside an arithmetic coder in Python that moves one bit at a time.

    .venv/bin/python benchmarks/entropy_coders.py [--symbols 4000]

256 symbols, each with frequencies of its own that add up to 2^24, as the learned coder has them;
process CPU time, one thread. `one call` for each symbol is what a model needs that has to know the
symbols before; `at once` is what the entropy coder alone can do. Many numbers with one
table are the last lines. The Python coder (`bitwise_coder`) makes cumulative tables
for each symbol, in numpy, except where one table is shared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import bitwise_coder
import constriction
import numpy as np

Done = TypeVar("Done")
MANY = 50
"""Times more symbols where a table is shared, for the range coder: it is too fast for a clock."""


@dataclass(frozen=True)
class Speed:
    """Symbols a second."""

    encode: float
    decode: float

    def over(self, other: Speed) -> str:
        """Both, with how many times another coder's they are."""
        return (
            f"encode {self.encode:12.0f} symbols/s ({self.encode / other.encode:5.1f} x), "
            f"decode {self.decode:12.0f} symbols/s ({self.decode / other.decode:5.1f} x)"
        )


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--symbols", type=int, default=4000)
    count = parser.parse_args().symbols
    rng = np.random.default_rng(0)
    shares = rng.gamma(0.3, size=(count, 256))
    counts = np.floor(shares / shares.sum(1, keepdims=True) * (2**24 - 256)) + 1
    symbols = np.array([rng.choice(256, p=row / row.sum()) for row in counts]).astype(np.int32)
    python = by_bits(symbols, counts)
    print(f"Python, bit by bit:    {python.over(python)}")
    print(f"range coder, one call: {one_by_one(symbols, counts).over(python)}")
    print(f"range coder, at once:  {at_once(symbols, counts).over(python)}")
    shared = rng.choice(256, p=counts[0] / counts[0].sum(), size=count * MANY).astype(np.int32)
    python = by_bits(shared[:count], counts[:1])
    print(f"one table, Python:     {python.over(python)}")
    print(f"one table, at once:    {with_one_table(shared, counts[0]).over(python)}")


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
