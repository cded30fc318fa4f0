"""Measures of a reconstruction and its codes; imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from codecctl.engine.metrics.codes import code_agreement
from codecctl.engine.metrics.mel import MelDistance
from codecctl.engine.metrics.si_sdr import si_sdr
from codecctl.engine.metrics.spatial import spatial_errors

__all__ = ["METRICS", "MelDistance", "WaveMetric", "code_agreement", "si_sdr", "spatial_errors"]

WaveMetric: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Estimate and reference, (N, C, T), to a value of each item, (N,)."""


def _mel(sample_rate: int) -> WaveMetric:
    return MelDistance(sample_rate=sample_rate)


def _si_sdr(_sample_rate: int) -> WaveMetric:
    return si_sdr


METRICS: dict[str, Callable[[int], WaveMetric]] = {"mel": _mel, "si_sdr": _si_sdr}
"""Measures that every codec profile reports, made for a sample rate in Hz."""
