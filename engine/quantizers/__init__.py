"""Quantizers between encoder and decoder."""

from __future__ import annotations

from collections.abc import Callable

from codecctl.engine.quantizers.base import Quantized, Quantizer
from codecctl.engine.quantizers.fsq import FiniteScalarQuantizer
from codecctl.engine.quantizers.grouped import GroupedQuantizer
from codecctl.engine.quantizers.learned import LearnedResidualQuantizer
from codecctl.engine.quantizers.ranks import ALONE, Ranks
from codecctl.engine.quantizers.rvq import ResidualVectorQuantizer
from codecctl.engine.quantizers.statistics import (
    codebook_entropy,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)

__all__ = [
    "ALONE",
    "QUANTIZERS",
    "FiniteScalarQuantizer",
    "GroupedQuantizer",
    "LearnedResidualQuantizer",
    "Quantized",
    "Quantizer",
    "Ranks",
    "ResidualVectorQuantizer",
    "codebook_entropy",
    "codebook_perplexity",
    "codebook_usage",
    "count_codes",
]

QUANTIZERS: dict[str, Callable[..., Quantizer]] = {
    "rvq": ResidualVectorQuantizer,
    "vq": LearnedResidualQuantizer,
    "fsq": FiniteScalarQuantizer,
}
"""`model.quantizer.type` to the network that takes `dim` and the keys of its signature."""
