"""Terms that a codec is trained with; imports torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from codecctl.engine.losses.log_norm_mel import MultiScaleLogNormMelLoss
from codecctl.engine.losses.mel import MultiScaleMelLoss
from codecctl.engine.losses.power_mel import MultiScalePowerMelLoss
from codecctl.engine.losses.waveform import squared_time_distance, time_distance

WaveLoss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Estimate and reference, (N, C, T), to the loss of each item, (N,)."""


@dataclass(frozen=True)
class WaveLossConfig:
    """What a waveform term may be told."""

    sample_rate: int
    """Hz."""
    scales: tuple[int, ...]
    """Exponents i of the windows of 2^i samples; of the mel term alone."""
    num_mels: int
    """Bands at every resolution; of the mel term alone."""
    mel_kind: str = "log"
    """A key of `MEL_LOSSES`."""
    time_kind: str = "l1"
    """A key of `TIME_LOSSES`."""


def _time(config: WaveLossConfig) -> WaveLoss:
    return TIME_LOSSES[config.time_kind]


def _mel(config: WaveLossConfig) -> WaveLoss:
    return MEL_LOSSES[config.mel_kind](
        scales=config.scales, num_mels=config.num_mels, sample_rate=config.sample_rate
    )


MEL_LOSSES: dict[str, Callable[..., WaveLoss]] = {
    "log": MultiScaleMelLoss,
    "power_and_log": MultiScalePowerMelLoss,
    "power_and_log_norm": MultiScaleLogNormMelLoss,
}
"""Spectral distances by the kind that a profile gives."""

TIME_LOSSES: dict[str, WaveLoss] = {"l1": time_distance, "l2": squared_time_distance}
"""Distances of waveforms by the kind that a profile gives."""

LOSSES: dict[str, Callable[[WaveLossConfig], WaveLoss]] = {"time": _time, "mel": _mel}
"""Reconstruction terms by the name that a profile gives."""
