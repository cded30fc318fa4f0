"""Bit-exact coding over whole chunks beside a full forward pass for every symbol.

    .venv/bin/python benchmarks/lossless_speed.py [--chunks 16] [--length 2048] [--rounds 3] [--jax]

The model of document 002 with symbols of 8 bits, untrained, one thread, process CPU time, medians
of rounds that take turns. Codes and decodes that many chunks of noisy tones side by side, all of
them whole. The other way, which the document's coder takes, computes the whole prefix for each
symbol, one chunk at a time: in float32 with torch, and with --jax operation by operation in JAX
(`jax_reference`), each with the time of the arithmetic coder in Python (`bitwise_coder`) for a
symbol of the same chunk. Their time for a whole chunk is interpolated: measured at some prefixes,
linear between them, added up over all. JAX compiles each operation for every new length; the time
of a chunk whose lengths are all new is told as well, from the first round.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import bitwise_coder
import numpy as np
import torch
from jax_reference import JaxTransformer

from codecctl.engine.lossless.coder import decode, encode
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.networks.transformer import Transformer, TransformerLayout, shifted

Result = TypeVar("Result")

PREFIXES = 9
_TOTAL = 1 << 24
"""What frequencies of the arithmetic coder in Python add up to, at most."""


def main() -> None:
    """Print speeds and their ratios."""
    options = _options()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = TransformerLayout(
        bits=8,
        context=options.length,
        embedding_dim=64,
        num_layers=4,
        num_heads=8,
        widening_factor=4,
        head="full",
    ).build()
    chunks = _tones(options.chunks, options.length)
    ways: dict[str, Callable[[np.ndarray], object]] = {"torch": partial(_torch_logits, network)}
    if options.jax:
        jax = JaxTransformer(network)
        ways["JAX"] = jax.logits
        difference = jax.require_same(network, chunks[0][: options.length // 3 + 1])
        print(f"log probabilities of JAX and torch differ by at most {difference:.1e}")
    rounds = [_round(network, chunks, ways) for _ in range(options.rounds)]
    bits = _by_bits(network, chunks[0])
    _print(rounds, ways, bits, symbols=options.chunks * options.length)
    print("load of the machine: " + ", ".join(f"{each:.1f}" for each in os.getloadavg()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--length", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jax", action="store_true", help="needs pip install jax jaxlib")
    return parser.parse_args()


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the docstring."""


def _print(
    rounds: Sequence[dict[str, float]], ways: Sequence[str], bits: float, *, symbols: int
) -> None:
    """Medians of CPU seconds as symbols a second."""
    middle = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    for name in ("encode", "decode"):
        print(f"{name}: {symbols / middle[name]:.0f} symbols/s")
    print(f"arithmetic decoder in Python, bit by bit: {1 / bits:.0f} symbols/s")
    each_decoded = middle["decode"] / symbols
    for name in ways:
        seconds = middle[name] + bits
        ratios = [each[name] + bits for each in rounds]
        times = [r / (each["decode"] / symbols) for r, each in zip(ratios, rounds, strict=True)]
        print(
            f"{name}, full forward for each prefix: {1 / seconds:.3f} symbols/s; decode is "
            f"{seconds / each_decoded:.0f} x of it ({min(times):.0f} to {max(times):.0f})"
        )
    if "JAX" in ways:
        print(f"JAX, every length new to it: {1 / (rounds[0]['JAX new'] + bits):.3f} symbols/s")


def _round(
    network: Transformer,
    chunks: Sequence[np.ndarray],
    ways: dict[str, Callable[[np.ndarray], object]],
) -> dict[str, float]:
    """CPU seconds: of all chunks ours, of a symbol of the other ways."""
    length, model = len(chunks[0]), ExactTransformer(network)
    decode(model, encode(model, [chunks[0][:2]]), [2])  # compiles the loops, where nobody has
    coded, encoding = _timed(lambda: encode(model, chunks))
    found, decoding = _timed(lambda: decode(model, coded, [length] * len(chunks)))
    assert all(np.array_equal(a, b) for a, b in zip(found, chunks, strict=True))
    spent = {"encode": encoding, "decode": decoding}
    for name, logits in ways.items():
        if name == "JAX":
            spent["JAX new"] = _by_prefix(logits, chunks[0])
        spent[name] = _by_prefix(logits, chunks[0])
    return spent


def _tones(count: int, length: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    wave = 0.4 * np.sin(rng.random((count, 1)) * 6 + 0.05 * np.arange(length))
    noisy = wave + 0.01 * rng.standard_normal((count, length))
    return list((noisy * 128).astype(np.int64) + 128)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.process_time()
    done = work()
    return done, time.process_time() - started


def _by_prefix(logits: Callable[[np.ndarray], object], chunk: np.ndarray) -> float:
    """CPU seconds for a symbol, the mean over all prefixes of a chunk, interpolated."""
    known = np.arange(len(chunk))
    measured = np.unique(np.linspace(0, len(chunk) - 1, PREFIXES).astype(int))
    seconds = [_timed(partial(logits, chunk[:end]))[1] for end in measured.tolist()]
    return float(np.interp(known, measured, seconds).mean())


def _torch_logits(network: Transformer, tokens: np.ndarray) -> torch.Tensor:
    """As `JaxTransformer.logits`."""
    with torch.no_grad():
        whole = torch.from_numpy(np.append(tokens, 0))[None]
        features = network.trunk(shifted(whole))
        return torch.log_softmax(network.get_submodule("head.logits")(features[0]), -1)


def _by_bits(network: Transformer, chunk: np.ndarray) -> float:
    """CPU seconds that the arithmetic coder in Python takes to decode a symbol."""
    shares = _torch_logits(network, chunk[:-1]).exp().double().numpy()

    def tables() -> list[list[int]]:
        counts = np.floor(shares * (_TOTAL - shares.shape[1])) + 1
        return [[0, *np.cumsum(row).astype(np.int64).tolist()] for row in counts]

    bits = bitwise_coder.encode(chunk.tolist(), tables())
    found, seconds = _timed(lambda: bitwise_coder.decode(bits, tables()))
    assert found == chunk.tolist()
    return seconds / len(chunk)


if __name__ == "__main__":
    main()
