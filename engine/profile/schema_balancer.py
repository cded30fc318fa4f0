"""`trainer.balancer.`: how terms at the decoder's output share its gradient."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from codecctl.engine.profile.constraints import CLOSED, Decay, Positive

Covered = Literal[
    "time",
    "mel",
    "si_sdr",
    "stft_mse",
    "mrstft",
    "linear_mel",
    "phase",
    "generator",
    "feature",
]


class Balancer(BaseModel):
    """Rescales the gradients of the terms at the decoder's output to the weights' shares."""

    model_config = CLOSED

    enabled: bool
    """false: the weighted terms are added as they are."""
    total_norm: Positive
    """Norm of the balanced gradient."""
    decay: Decay
    """Of the moving average of the norms."""
    epsilon: Positive
    """Added to the norms, so that a vanishing term does not divide by zero."""
    covers: tuple[Covered, ...]
    """Terms that are balanced; those that act on the decoder's output can be."""
