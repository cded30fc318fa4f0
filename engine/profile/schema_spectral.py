"""`model.` of the spectral family: continuous autoencoders on spectrograms or on the waveform."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import CLOSED, Count, CountOrZero, Positive
from codecctl.engine.profile.schema_model import Discriminator, Model, NoQuantizer

Ratio: TypeAlias = tuple[Count, Count]


class SpectralNetwork(BaseModel):
    """What the real and the complex network have in common."""

    model_config = CLOSED

    channels: Count
    """Audio channels that are coded together; the network sees real and imaginary part of each."""
    num_filters: Count
    """Width after the first convolution; doubles at every ratio."""
    latent_dim: Count
    """Latent width (D), in real numbers."""
    ratios: Annotated[tuple[Ratio, ...], Field(min_length=1)]
    """Down-sampling factors of [bins, frames] in the order of the encoder."""
    residual_layers: CountOrZero
    """Residual blocks before every ratio."""
    kernel_size: Count
    """First and last convolution, over bins and frames; the latent's, over frames."""
    residual_kernel_size: Count
    """Convolutions of residual blocks, over bins and frames."""
    compress: Count
    """Residual blocks narrow the width by this factor."""
    norm: Literal["weight_norm", "none"]
    """Normalization of the convolutions."""
    pad_mode: Literal["reflect", "zero"]
    """What stands beside the spectrogram."""
    seq_model: Literal["none", "lstm", "transformer"]
    """What sees all latent frames, in the middle of either half."""
    seq_layers: Count
    """Its layers."""
    seq_heads: Count
    """Of the transformer; a divisor of the latent width."""
    initialization: Literal["torch", "variance_preserving"]
    """Weights at the start: as torch draws them, or such that signals keep their variance."""
    n_fft: Annotated[int, Field(ge=16, le=65536)]
    """Length of the FFT, in samples; even."""
    hop_length: Count
    """Samples per spectrogram frame; at most half the window."""
    win_length: Annotated[int, Field(ge=4)]
    """Hann window in samples; at most n_fft."""
    normalized: bool
    """Divide spectra by sqrt(n_fft): noise has the level in bins that it has in samples."""

    @property
    def strides(self) -> tuple[int, ...]:
        """Factors whose product is the samples per latent frame."""
        return (self.hop_length, *(frames for _, frames in self.ratios))


class SpectralGenerator(SpectralNetwork):
    """SEANet over bins and frames; real and imaginary parts are channels."""

    type: Literal["seanet_real"]


class ComplexGenerator(SpectralNetwork):
    """The same with complex weights, activations and normalization."""

    type: Literal["seanet_complex"]
    activation: Literal["complex_elu", "complex_relu", "modrelu"]
    """complex_elu, complex_relu: of either part; modrelu: ReLU of the magnitude plus a learned
    number."""
    feature_norm: Literal["rms", "none"]
    """rms: residual blocks divide by the root mean square over channels."""


class OobleckGenerator(BaseModel):
    """Waveform autoencoder of Stable Audio (https://arxiv.org/abs/2404.10301)."""

    model_config = CLOSED

    type: Literal["oobleck"]
    channels: Count
    """Audio channels that are coded together."""
    num_filters: Count
    """Width after the first convolution."""
    multipliers: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Width after each stride, in units of num_filters."""
    latent_dim: Count
    """Latent width (D)."""
    strides: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Down-sampling factors in the order of the encoder; their product is the hop in samples."""
    dilations: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Of the residual units before every stride."""
    kernel_size: Count
    """Residual units, first layer of the encoder, first and last of the decoder, in samples."""
    last_kernel_size: Count
    """Last convolution of the encoder, in latent frames."""
    norm: Literal["weight_norm", "none"]
    """Normalization of the convolutions."""
    initialization: Literal["torch", "variance_preserving"]
    """Weights at the start: as torch draws them, or such that signals keep their variance."""


class NoTransform(BaseModel):
    """Spectrograms as they are."""

    model_config = CLOSED

    type: Literal["none"]


class PowerNorm(BaseModel):
    """Magnitudes become beta |S|^alpha; phases stay."""

    model_config = CLOSED

    type: Literal["power_norm"]
    alpha: Annotated[float, Field(gt=0, le=1)]
    """Smaller is flatter."""
    beta: Positive
    """Scale."""


class LogMag(BaseModel):
    """Magnitudes become log(1 + alpha |S|); phases stay."""

    model_config = CLOSED

    type: Literal["log_mag"]
    alpha: Positive
    """Magnitudes far below 1 / alpha keep their proportions."""


class VAEBottleneck(BaseModel):
    """The encoder gives mean and scale of a normal distribution; training draws from it."""

    model_config = CLOSED

    type: Literal["vae"]


class NoBottleneck(BaseModel):
    """The encoder gives the latent itself."""

    model_config = CLOSED

    type: Literal["none"]


class SpectralModel(BaseModel):
    """Normalization, spectrogram, generator, bottleneck and discriminators."""

    model_config = CLOSED

    normalize: Literal["rms", "rms_channels", "gain", "none"]
    """As for other codecs: rms gives every second the level 1; gain amplifies by `gain_db`."""
    gain_db: float
    """Of normalize = "gain", in dB; 30 to 40 for field recordings around -50 dBFS."""
    pre_transform: Annotated[NoTransform | PowerNorm | LogMag, Field(discriminator="type")]
    """Invertible transform between spectrogram and network; none for waveforms."""
    spectral_chunk_frames: CountOrZero
    """Spectrogram frames that go through the networks at once, which bounds memory; 0: all. The
    result is the same: pieces overlap by as much as the convolutions see."""
    generator: Annotated[
        SpectralGenerator | ComplexGenerator | OobleckGenerator, Field(discriminator="type")
    ]
    bottleneck: Annotated[VAEBottleneck | NoBottleneck, Field(discriminator="type")]
    discriminators: tuple[Discriminator, ...]
    """An empty list trains without adversary."""

    @property
    def quantizer(self) -> NoQuantizer:
        """None: the latent is continuous."""
        return NoQuantizer(type="none")


CodecModel: TypeAlias = Model | SpectralModel
"""`model.` of every codec."""
