"""Bit-exact coding over whole chunks beside a full forward pass for every symbol.

    .venv/bin/python benchmarks/lossless_speed.py [--chunks 16] [--length 2048]

The model of document 002 with symbols of 8 bits, untrained, one thread, process CPU time. Codes
and decodes that many chunks of noisy tones side by side, all of them whole. The other way, which
the document's coder takes, computes the whole prefix for each symbol; its time is that of 24
prefixes at even distances, in float32 with torch, times the length.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from codecctl.engine.lossless.coder import decode, encode
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.networks.transformer import Transformer, TransformerLayout

Result = TypeVar("Result")

PREFIXES = 24
PUBLISHED = 1.19
"""Bytes a second of the original's decoder, measured before (whole prefixes, not compiled)."""


def main() -> None:
    """Print speeds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--length", type=int, default=2048)
    options = parser.parse_args()
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
    model = ExactTransformer(network)
    coded, encoding = _timed(lambda: encode(model, chunks))
    found, decoding = _timed(lambda: decode(model, coded, [options.length] * options.chunks))
    assert all(np.array_equal(a, b) for a, b in zip(found, chunks, strict=True))
    symbols = options.chunks * options.length
    by_prefix = _by_prefix(network, chunks[0])
    print(f"encode: {symbols / encoding:.0f} symbols/s; decode: {symbols / decoding:.0f} symbols/s")
    print(f"full forward for each prefix: {by_prefix:.2f} symbols/s")
    print(f"decode: {symbols / decoding / by_prefix:.0f} x of it in this run, ", end="")
    print(f"{symbols / decoding / PUBLISHED:.0f} x of the original's {PUBLISHED} bytes/s")


def _tones(count: int, length: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    wave = 0.4 * np.sin(rng.random((count, 1)) * 6 + 0.05 * np.arange(length))
    noisy = wave + 0.01 * rng.standard_normal((count, length))
    return list((noisy * 128).astype(np.int64) + 128)


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    started = time.process_time()
    done = work()
    return done, time.process_time() - started


def _by_prefix(network: Transformer, chunk: np.ndarray) -> float:
    """Symbols a second."""
    tokens = torch.from_numpy(chunk)[None]
    seconds = []
    with torch.no_grad():
        for end in np.linspace(1, len(chunk), PREFIXES).astype(int).tolist():
            _, spent = _timed(partial(network, tokens[:, :end]))
            seconds.append(spent)
    return 1.0 / float(np.mean(seconds))


if __name__ == "__main__":
    main()
