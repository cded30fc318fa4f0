"""Quantizers between encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable

from codecctl.engine.quantizers.ranks import ALONE, Ranks
from codecctl.engine.quantizers.rvq import Quantized, ResidualVectorQuantizer
from codecctl.engine.quantizers.statistics import (
    codebook_entropy,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)

__all__ = [
    "ALONE",
    "QUANTIZERS",
    "Quantized",
    "Ranks",
    "ResidualVectorQuantizer",
    "codebook_entropy",
    "codebook_perplexity",
    "codebook_usage",
    "count_codes",
]

QUANTIZERS: dict[str, Callable[..., ResidualVectorQuantizer]] = {"rvq": ResidualVectorQuantizer}
"""`model.quantizer.type` to the network that takes `dim` and the keys of its signature."""
