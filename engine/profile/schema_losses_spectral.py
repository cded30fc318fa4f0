"""`trainer.loss_config.spectral.`: terms on what a spectral decoder emits."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from codecctl.engine.profile.constraints import CLOSED, NotNegative, Positive


class StftMseConfig(BaseModel):
    """Distance of spectrograms."""

    model_config = CLOSED

    reduction: Literal["mean", "sum"]
    """Over channels, bins and frames of an item; over items it is a mean."""
    p: Positive
    """Power of the distance of two complex numbers' parts; 2: squared error."""
    domain: Literal["emitted", "linear"]
    """emitted: of spectra as the network sees them; linear: with `model.pre_transform` undone."""


class StftMseTerm(BaseModel):
    """Difference of the spectrogram that the decoder emits from that of the audio."""

    model_config = CLOSED

    config: StftMseConfig


class SpectralWeights(BaseModel):
    """Weight 0 disables a term."""

    model_config = CLOSED

    stft_mse: NotNegative
    """Only of decoders that emit spectrograms."""


class SpectralLosses(BaseModel):
    """Terms on spectrograms."""

    model_config = CLOSED

    stft_mse: StftMseTerm
    apply_pre_transform_to_wave_losses: bool
    """Compare waves that are rendered without undoing `model.pre_transform`, on either side."""
    weights: SpectralWeights
