"""Terms that a codec is trained with; imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from torch import Tensor

from codecctl.engine.losses.linear_mel import MultiScaleLinearMelLoss
from codecctl.engine.losses.log_norm_mel import MultiScaleLogNormMelLoss
from codecctl.engine.losses.mel import MultiScaleMelLoss
from codecctl.engine.losses.multi_resolution_stft import MultiResolutionStftLoss
from codecctl.engine.losses.phase import PhaseLoss
from codecctl.engine.losses.power_mel import MultiScalePowerMelLoss
from codecctl.engine.losses.si_sdr import SiSdrLoss
from codecctl.engine.losses.waveform import squared_time_distance, time_distance

WaveLoss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Estimate and reference, (N, C, T), to the loss of each item, (N,)."""

MEL_LOSSES: dict[str, Callable[..., WaveLoss]] = {
    "log": MultiScaleMelLoss,
    "power_and_log": MultiScalePowerMelLoss,
    "power_and_log_norm": MultiScaleLogNormMelLoss,
}
"""Spectral distances by the kind that a profile gives."""

TIME_LOSSES: dict[str, WaveLoss] = {"l1": time_distance, "l2": squared_time_distance}
"""Distances of waveforms by the kind that a profile gives."""


def _time(*, sample_rate: int, kind: str) -> WaveLoss:
    del sample_rate
    return TIME_LOSSES[kind]


def _mel(*, sample_rate: int, kind: str, scales: Sequence[int], num_mels: int) -> WaveLoss:
    return MEL_LOSSES[kind](scales=scales, num_mels=num_mels, sample_rate=sample_rate)


def _at_any_rate(loss: Callable[..., WaveLoss]) -> Callable[..., WaveLoss]:
    def build(*, sample_rate: int, **config: object) -> WaveLoss:
        del sample_rate
        return loss(**config)

    return build


LOSSES: dict[str, Callable[..., WaveLoss]] = {
    "time": _time,
    "mel": _mel,
    "si_sdr": _at_any_rate(SiSdrLoss),
    "mrstft": _at_any_rate(MultiResolutionStftLoss),
    "linear_mel": MultiScaleLinearMelLoss,
    "phase": _at_any_rate(PhaseLoss),
}
"""Terms on waves by the name that a profile gives; each takes the rate in Hz and its config."""
