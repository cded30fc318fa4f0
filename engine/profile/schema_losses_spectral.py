"""`trainer.loss_config.spectral.`: terms on spectrograms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import CLOSED, Count, NotNegative

Fft = Annotated[int, Field(ge=16, le=65536)]


class StftMseConfig(BaseModel):
    """Distance of spectrograms."""

    model_config = CLOSED

    reduction: Literal["mean", "sum"]
    """Over channels, bins and frames of an item; over items it is a mean."""
    p: Annotated[float, Field(ge=1)]
    """Power of the distance of two complex numbers' parts; 2: squared error. Below 1 there is no
    gradient where parts are equal."""
    domain: Literal["emitted", "linear"]
    """emitted: of spectra as the network sees them; linear: with `model.pre_transform` undone."""


class StftMseTerm(BaseModel):
    """Difference of the spectrogram that the decoder emits from that of the audio."""

    model_config = CLOSED

    config: StftMseConfig


class MultiResolutionStftConfig(BaseModel):
    """Resolutions, and what is compared at each of them."""

    model_config = CLOSED

    n_ffts: Annotated[tuple[Fft, ...], Field(min_length=1)]
    """Length of each transform, in samples."""
    hop_lengths: tuple[Count, ...]
    """In samples, one for each transform."""
    win_lengths: tuple[Fft, ...]
    """Hann windows in samples, one for each transform."""
    convergence: NotNegative
    """Part of the norm of the difference of magnitudes over that of the reference."""
    log_magnitude: NotNegative
    """Part of the mean absolute difference of natural logarithms of magnitudes."""
    magnitude: NotNegative
    """Part of the mean absolute difference of magnitudes."""
    complex: NotNegative
    """Part of the mean absolute difference of real and imaginary parts."""


class MultiResolutionStftTerm(BaseModel):
    """Distance of short-time spectra, mean over resolutions."""

    model_config = CLOSED

    config: MultiResolutionStftConfig


class LinearMelConfig(BaseModel):
    """Resolutions of the distance of mel magnitudes."""

    model_config = CLOSED

    scales: Annotated[
        tuple[Annotated[int, Field(ge=4, le=16)], ...], Field(min_length=1, max_length=13)
    ]
    """Window lengths as powers of two: 11 is 2048 samples."""
    num_mels: Count
    """Mel bands at every scale."""


class LinearMelTerm(BaseModel):
    """Mean absolute difference of mel magnitudes; `reconstruction.mel` is of their logarithms."""

    model_config = CLOSED

    config: LinearMelConfig


class PhaseConfig(BaseModel):
    """Spectra whose phases are compared."""

    model_config = CLOSED

    n_fft: Fft
    """In samples."""
    hop_length: Count
    """In samples."""
    win_length: Fft
    """Of the Hann window, in samples."""


class PhaseTerm(BaseModel):
    """One minus the cosine of phase differences, weighted by the reference's energy."""

    model_config = CLOSED

    config: PhaseConfig


class SpectralWeights(BaseModel):
    """Weight 0 disables a term, which is then not computed."""

    model_config = CLOSED

    stft_mse: NotNegative
    """Only of decoders that emit spectrograms."""
    mrstft: NotNegative
    """Spectral convergence and magnitudes at several resolutions."""
    linear_mel: NotNegative
    """Distance of mel amplitudes."""
    phase: NotNegative
    """Difference of phases."""


class SpectralLosses(BaseModel):
    """Terms on spectrograms."""

    model_config = CLOSED

    stft_mse: StftMseTerm
    mrstft: MultiResolutionStftTerm
    linear_mel: LinearMelTerm
    phase: PhaseTerm
    apply_pre_transform_to_wave_losses: bool
    """Compare waves that are rendered without undoing `model.pre_transform`, on either side."""
    weights: SpectralWeights
