"""Measures of a reconstruction and its codes; imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from codecctl.engine.metrics.array_agreement import AngleGroup, agreement_by_angle
from codecctl.engine.metrics.codes import (
    AgreementMatrix,
    agreement_by_chance,
    agreement_matrix,
    code_agreement,
)
from codecctl.engine.metrics.evaluation_losses import MelMeasure, SiSdrMeasure, StftMeasure
from codecctl.engine.metrics.information import (
    Information,
    code_capsule_information,
    first_code_information,
    mutual_information,
)
from codecctl.engine.metrics.mel import MelDistance
from codecctl.engine.metrics.probe import ProbeResult, capsule_probe
from codecctl.engine.metrics.si_sdr import si_sdr
from codecctl.engine.metrics.spatial import spatial_errors

__all__ = [
    "EVAL_LOSSES",
    "METRICS",
    "AgreementMatrix",
    "AngleGroup",
    "Information",
    "MelDistance",
    "ProbeResult",
    "WaveMetric",
    "agreement_by_angle",
    "agreement_by_chance",
    "agreement_matrix",
    "capsule_probe",
    "code_agreement",
    "code_capsule_information",
    "first_code_information",
    "mutual_information",
    "si_sdr",
    "spatial_errors",
]

WaveMetric: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Estimate and reference, (N, C, T), to a value of each item, (N,)."""


def _mel(sample_rate: int) -> WaveMetric:
    return MelDistance(sample_rate=sample_rate)


def _si_sdr(_sample_rate: int) -> WaveMetric:
    return si_sdr


METRICS: dict[str, Callable[[int], WaveMetric]] = {"mel": _mel, "si_sdr": _si_sdr}
"""Measures that every codec profile reports, made for a sample rate in Hz."""

EVAL_LOSSES: dict[str, Callable[..., WaveMetric]] = {
    "sisdr": SiSdrMeasure,
    "stft": StftMeasure,
    "mel": MelMeasure,
}
"""Measures of `trainer.eval_loss_config` by name; each takes the rate in Hz and its settings."""
