"""`model.`: the networks, each chosen by its `type`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import (
    CLOSED,
    Count,
    CountOrZero,
    Decay,
    Fraction,
    NotNegative,
    Positive,
)


class SeanetGenerator(BaseModel):
    """SEANet encoder and decoder, EnCodec flavor (https://arxiv.org/abs/2210.13438)."""

    model_config = CLOSED

    type: Literal["seanet"]
    channels: Count
    """Audio channels that are coded together."""
    num_filters: Count
    """Width after the first convolution; doubles at every stride."""
    latent_dim: Count
    """Latent width (D)."""
    strides: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Down-sampling factors in the order of the encoder; their product is the hop in samples."""
    residual_layers: CountOrZero
    """Residual blocks before every stride."""
    kernel_size: Count
    """First convolution, in samples."""
    last_kernel_size: Count
    """Last convolution, in samples."""
    residual_kernel_size: Count
    """Convolutions of residual blocks, in samples."""
    dilation_base: Count
    """Dilation of the n-th residual block is this to the power of n."""
    compress: Count
    """Residual blocks narrow the width by this factor."""
    lstm_layers: CountOrZero
    """LSTM layers over time at the narrowest point, with a residual connection; 0: none."""
    skip: Literal["conv1x1", "identity"]
    """Way around a residual block."""
    norm: Literal["weight_norm", "none"]
    """Normalization of the convolutions."""
    causal: bool
    """Pad on the left only, so that no output depends on later input."""
    pad_mode: Literal["reflect", "zero"]
    """What stands before the first sample."""
    trim_right_ratio: Fraction
    """Share of the surplus of a transposed convolution cut from the right: 1 when causal, else
    0.5."""
    initialization: Literal["torch", "variance_preserving"]
    """Weights at the start: as torch draws them, or such that signals keep their variance."""


class SoundStreamGenerator(BaseModel):
    """SoundStream encoder and decoder: causal convolutions (https://arxiv.org/abs/2107.03312)."""

    model_config = CLOSED

    type: Literal["soundstream"]
    channels: Count
    """Audio channels that are coded together."""
    num_filters: Count
    """Width after the first convolution; doubles at every stride."""
    latent_dim: Count
    """Latent width (D)."""
    strides: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Down-sampling factors in the order of the encoder; their product is the hop in samples."""
    dilations: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Of the residual units before every stride."""
    kernel_size: Count
    """First convolution of either half, last one of the decoder and residual units, in samples."""
    last_kernel_size: Count
    """Last convolution of the encoder, in latent frames."""
    initialization: Literal["torch", "variance_preserving"]
    """Weights at the start: as torch draws them, or such that signals keep their variance."""


Codebooks = Annotated[int, Field(ge=1, le=64)]
CodebookSize = Annotated[int, Field(ge=2, le=65536)]
Bandwidths = Annotated[tuple[Positive, ...], Field(min_length=1)]


class ResidualQuantizer(BaseModel):
    """Residual vector quantizer with codebooks that follow a moving average."""

    model_config = CLOSED

    type: Literal["rvq"]
    num_codebooks: Codebooks
    """Stages of each group; each codes what the stage before left."""
    groups: Count
    """Equal parts of the latent width with codebooks of their own."""
    codebook_size: CodebookSize
    """Entries of each codebook."""
    decay: Decay
    """Of the moving average of counts and sums, per update."""
    epsilon: Positive
    """Laplace smoothing of the counts."""
    kmeans_init: bool
    """Start the codebooks by k-means on latents of the first batches, else on random latents."""
    kmeans_iterations: Count
    """Rounds of that k-means; without influence where `kmeans_init` is false."""
    dead_threshold: NotNegative
    """An entry whose averaged count falls below this is replaced by a latent of the batch."""
    dropout: bool
    """Train with a random number of stages."""
    ema: Literal["correct", "encodec"]
    """correct: initialization survives and revival revives; encodec: as the original does it."""
    bandwidths: Bandwidths
    """Bitrates to offer, in kb/s, rising; each becomes a number of stages."""


class LearnedQuantizer(BaseModel):
    """Residual vector quantizer whose codebooks follow the gradient of their own loss."""

    model_config = CLOSED

    type: Literal["vq"]
    num_codebooks: Codebooks
    """Stages of each group; each codes what the stage before left."""
    groups: Count
    """Equal parts of the latent width with codebooks of their own."""
    codebook_size: CodebookSize
    """Entries of each codebook."""
    kmeans_init: bool
    """Start the codebooks by k-means on latents of the first batches, else on random latents."""
    kmeans_iterations: Count
    """Rounds of that k-means; without influence where `kmeans_init` is false."""
    dropout: bool
    """Train with a random number of stages."""
    bandwidths: Bandwidths
    """Bitrates to offer, in kb/s, rising; each becomes a number of stages."""


class ScalarQuantizer(BaseModel):
    """Finite scalar quantization: a grid in the place of a codebook."""

    model_config = CLOSED

    type: Literal["fsq"]
    levels: Annotated[tuple[Annotated[int, Field(ge=3, le=256)], ...], Field(min_length=1)]
    """Levels of each number that a frame is projected to; their product is the codebook's size."""


class NoQuantizer(BaseModel):
    """A continuous latent."""

    model_config = CLOSED

    type: Literal["none"]


ChannelView = Literal["all", "random_one", "fold_batch", "pairs"]


class MultiScaleStftDiscriminator(BaseModel):
    """EnCodec's discriminator on complex spectrograms of several resolutions."""

    model_config = CLOSED

    type: Literal["ms_stft"]
    n_ffts: Annotated[tuple[Annotated[int, Field(ge=16)], ...], Field(min_length=1)]
    """FFT length of each scale, in samples."""
    hop_lengths: tuple[Count, ...]
    """In samples, one for each scale."""
    win_lengths: tuple[Count, ...]
    """Hann windows in samples, one for each scale."""
    num_filters: Count
    """Width of every convolution."""
    kernel_size: tuple[Count, Count]
    """(time, frequency)."""
    dilations: tuple[Count, ...]
    """Dilation over time of the strided convolutions."""
    stride: tuple[Count, Count]
    """(time, frequency) of the strided convolutions."""
    feature_maps_include_logits: bool
    """Whether feature matching also compares the logits."""
    leak: Fraction
    """Negative slope of the activation."""
    weight_norm_first: bool
    """Whether the first convolution carries weight norm, too."""
    channels: ChannelView
    """Which channels of a signal it sees: all at once; one that is drawn for each item and step;
    every one alone; or every one in pairs that are drawn for each item and step."""

    @property
    def shortest_samples(self) -> int:
        """The shortest audio that it can judge."""
        return max(self.n_ffts)


class ResidualStftDiscriminator(BaseModel):
    """SoundStream's discriminator on one complex spectrogram."""

    model_config = CLOSED

    type: Literal["stft"]
    n_fft: Annotated[int, Field(ge=64)]
    """Length of FFT and Hann window, in samples."""
    hop_length: Count
    """In samples."""
    num_filters: Count
    """Width of the first convolution; the last unit is 16 times as wide."""
    channels: ChannelView
    """Which channels of a signal it sees, as for ms_stft."""

    @property
    def shortest_samples(self) -> int:
        """The shortest audio that it can judge: seven frames, half a window mirrored."""
        return max(6 * self.hop_length, self.n_fft // 2 + 1)


class WaveformDiscriminator(BaseModel):
    """Discriminators on the waveform at several rates, with strided, grouped convolutions."""

    model_config = CLOSED

    type: Literal["wave"]
    factors: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Down-sampling of each, by averages of four samples; 1: the audio itself."""
    num_filters: Count
    """Width of the first convolution; the next ones are four times as wide as the one before."""
    max_filters: Count
    """Bound of the width."""
    leak: Fraction
    """Negative slope of the activation."""
    channels: ChannelView
    """Which channels of a signal it sees, as for ms_stft."""

    @property
    def shortest_samples(self) -> int:
        """The shortest audio that it can judge at every rate: the layers' reach, from the last."""
        reach = 1 + (3 - 1) + (5 - 1)
        for _ in range(4):
            reach = 4 * (reach - 1) + 41
        reach += 15 - 1
        return max(reach if each == 1 else each * (reach - 1) + 4 for each in self.factors)


Generator = Annotated[SeanetGenerator | SoundStreamGenerator, Field(discriminator="type")]
Quantizer = Annotated[
    ResidualQuantizer | LearnedQuantizer | ScalarQuantizer | NoQuantizer,
    Field(discriminator="type"),
]
Staged = ResidualQuantizer | LearnedQuantizer
"""Quantizers whose bitrate is a number of stages."""
Discriminator = Annotated[
    MultiScaleStftDiscriminator | ResidualStftDiscriminator | WaveformDiscriminator,
    Field(discriminator="type"),
]


class Model(BaseModel):
    """Normalization, generator, quantizer and discriminators."""

    model_config = CLOSED

    normalize: Literal["rms", "rms_channels", "gain", "none"]
    """rms: the codec sees seconds of level 1, and one number a second travels beside the codes;
    rms_channels: the same for each channel, so that a quiet capsule counts like a loud one; gain:
    everything is amplified by `gain_db`, and nothing has to travel."""
    gain_db: float
    """Of normalize = "gain", in dB; 30 to 40 for field recordings around -50 dBFS."""
    pre_transform: Literal["none"]
    """Invertible transform before the encoder."""
    generator: Generator
    quantizer: Quantizer
    discriminators: tuple[Discriminator, ...]
    """An empty list trains without adversary."""
