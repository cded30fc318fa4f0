"""Quantizers between encoder and decoder."""

from __future__ import annotations

from codecctl.engine.quantizers.base import Quantized, Quantizer
from codecctl.engine.quantizers.fsq import FiniteScalarQuantizer
from codecctl.engine.quantizers.grouped import GroupedQuantizer
from codecctl.engine.quantizers.learned import LearnedResidualQuantizer
from codecctl.engine.quantizers.passthrough import Passthrough
from codecctl.engine.quantizers.ranks import ALONE, Ranks
from codecctl.engine.quantizers.rvq import ResidualVectorQuantizer
from codecctl.engine.quantizers.statistics import (
    codebook_diversity,
    codebook_entropy,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)

__all__ = [
    "ALONE",
    "FiniteScalarQuantizer",
    "GroupedQuantizer",
    "LearnedResidualQuantizer",
    "Passthrough",
    "Quantized",
    "Quantizer",
    "Ranks",
    "ResidualVectorQuantizer",
    "codebook_diversity",
    "codebook_entropy",
    "codebook_perplexity",
    "codebook_usage",
    "count_codes",
]
