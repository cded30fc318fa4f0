"""SEANet on spectrograms: two-dimensional convolutions, real or complex, down to a sequence.

The network of the project that document 004 describes: bins and frames shrink by a ratio at each
stage while the width doubles; what is left of the bins is folded into the width, and a convolution
over frames gives the latent. The decoder mirrors it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, prod

from torch import Tensor, nn

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.chunks import in_chunks
from codecctl.engine.networks.complex_layers import COMPLEX_ACTIVATIONS, ComplexRMSNorm
from codecctl.engine.networks.conv import Initialization, Norm, PadMode
from codecctl.engine.networks.conv2d import (
    Arithmetic,
    PaddedConv2d,
    TrimmedConvTranspose2d,
    preserve_variance_2d,
)
from codecctl.engine.networks.pre_transforms import PreTransform
from codecctl.engine.networks.sequence import SeqModel, sequence_model
from codecctl.engine.networks.spectral_folds import (
    Reach,
    decoder_reach,
    doubled,
    encoder_reach,
    fold,
    multiple,
    unfold,
)
from codecctl.engine.networks.spectral_front import SpectralFront
from codecctl.engine.networks.spectral_stream import SpectralStream


@dataclass(frozen=True, kw_only=True)
class SpectralLayout:
    """The numbers that describe a spectral SEANet; profiles give them under `model.generator`."""

    arithmetic: Arithmetic
    """real: the parts of a number are channels like others; complex: they stay a number."""
    channels: int
    """Audio channels, 1 to 32."""
    num_filters: int
    """Width of the first layer; every ratio doubles it."""
    latent_dim: int
    """Width of the latent sequence in real numbers."""
    ratios: Sequence[tuple[int, int]]
    """Down-sampling factors of (bins, frames) in the order of the encoder."""
    residual_layers: int
    """Residual blocks per ratio."""
    kernel_size: int
    """Taps of the first and last convolution over bins and frames, of the latent's over frames."""
    residual_kernel_size: int
    """Taps of the convolution of a residual block."""
    compress: int
    """A residual block is narrower inside by this factor."""
    norm: Norm
    """Parametrization of all convolution weights."""
    activation: str
    """Of complex layers, a key of `COMPLEX_ACTIVATIONS`; real ones have ELU."""
    feature_norm: str
    """rms: residual blocks of complex layers begin with a `ComplexRMSNorm`."""
    pad_mode: PadMode
    """What stands beside the spectrogram."""
    seq_model: SeqModel
    """What sees all latent frames."""
    seq_layers: int
    """Its layers."""
    seq_heads: int
    """Of the transformer."""
    initialization: Initialization
    """Whether weights start as torch draws them, or so that signals keep their variance."""
    n_fft: int
    """Length of the FFT, in samples."""
    hop_length: int
    """Samples per spectrogram frame."""
    win_length: int
    """Samples of the Hann window."""
    normalized: bool
    """Divide spectra by sqrt(n_fft)."""
    transform: PreTransform
    """Between spectrogram and network."""
    chunk_frames: int = 0
    """Spectrogram frames that go through the networks at once; 0: all."""
    latent_scale: int = 1
    """Numbers that the encoder gives for each of the latent: 2 for mean and scale."""

    @property
    def num_bins(self) -> list[int]:
        """Bins before the first ratio and after each."""
        bins = [self.n_fft // 2 + 1]
        for ratio, _ in self.ratios:
            bins.append(bins[-1] // ratio)
        return bins

    @property
    def frame_stride(self) -> int:
        """Spectrogram frames per latent frame."""
        return prod(ratio for _, ratio in self.ratios)

    @property
    def reach(self) -> Reach:
        """What decides how far the networks see over frames."""
        return Reach(
            strides=[ratio for _, ratio in self.ratios],
            taps=self.kernel_size,
            residual=self.residual_layers * (self.residual_kernel_size - 1),
        )

    @property
    def chunk_size(self) -> int:
        """Spectrogram frames of a piece, whole latent frames; 0: no pieces."""
        return multiple(self.chunk_frames, self.frame_stride)

    def build(self) -> Autoencoder:
        """A new encoder, decoder and front."""
        encoder, decoder = SpectralEncoder(self), SpectralDecoder(self)
        front = SpectralFront(
            n_fft=self.n_fft,
            hop_length=self.hop_length,
            win_length=self.win_length,
            normalized=self.normalized,
            transform=self.transform,
        )
        size = self.chunk_size
        autoencoder = Autoencoder(
            encoder,
            decoder,
            latent_dim=self.latent_dim,
            hop_length=self.hop_length * self.frame_stride,
            front=front,
            stream=SpectralStream(encoder, decoder, front, size=size) if size else None,
        )
        if self.initialization == "variance_preserving":
            preserve_variance_2d(autoencoder)
        return autoencoder

    @property
    def parts(self) -> int:
        """Real channels of one channel of the arithmetic."""
        return 2 if self.arithmetic == "complex" else 1

    def conv(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
    ) -> PaddedConv2d:
        """A convolution with the padding and norm that all of this network share."""
        return PaddedConv2d(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            norm=self.norm,
            pad_mode=self.pad_mode,
            arithmetic=self.arithmetic,
        )

    def activation_of(self, channels: int) -> nn.Module:
        """What follows layers of so many channels."""
        return nn.ELU() if self.parts == 1 else COMPLEX_ACTIVATIONS[self.activation](channels)

    def residual_blocks(self, width: int) -> list[nn.Module]:
        """The residual blocks of one ratio."""
        return [ResidualBlock2d(self, width) for _ in range(self.residual_layers)]

    def sequence_model(self, width: int) -> nn.Module:
        """What sees all latent frames."""
        return sequence_model(
            self.seq_model, width, num_layers=self.seq_layers, num_heads=self.seq_heads
        )


class ResidualBlock2d(nn.Module):
    """Activation, convolution to fewer channels, activation, 1x1 back; plus a 1x1 of the input."""

    def __init__(self, layout: SpectralLayout, width: int) -> None:
        super().__init__()
        hidden = max(1, width // layout.compress)
        taps = layout.residual_kernel_size
        norm: list[nn.Module] = []
        if layout.parts == 2 and layout.feature_norm == "rms":
            norm.append(ComplexRMSNorm(width))
        self.block = nn.Sequential(
            *norm,
            layout.activation_of(width),
            layout.conv(width, hidden, kernel_size=(taps, taps)),
            layout.activation_of(hidden),
            layout.conv(hidden, width, kernel_size=(1, 1)),
        )
        self.skip = layout.conv(width, width, kernel_size=(1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Refine features (B, width, bins, frames)."""
        skipped: Tensor = self.skip(features)
        refined: Tensor = self.block(features)
        return skipped + refined


class SpectralEncoder(nn.Module):
    """Spectrograms to latent frames."""

    def __init__(self, layout: SpectralLayout) -> None:
        super().__init__()
        self._layout = layout
        size = layout.kernel_size
        width = layout.num_filters
        layers: list[nn.Module] = [
            layout.conv(2 * layout.channels // layout.parts, width, kernel_size=(size, size))
        ]
        for ratio in layout.ratios:
            layers += [
                *layout.residual_blocks(width),
                layout.activation_of(width),
                layout.conv(width, 2 * width, kernel_size=doubled(ratio), stride=ratio),
            ]
            width *= 2
        self.layers = nn.Sequential(*layers)
        folded = width * layout.num_bins[-1]
        self.activation = layout.activation_of(folded)
        dim = layout.latent_scale * layout.latent_dim
        self.to_latent = layout.conv(folded, dim // layout.parts, kernel_size=(1, size))
        self.sequence = layout.sequence_model(dim)
        self.stride = layout.frame_stride
        self.context = multiple(encoder_reach(layout.reach), self.stride)

    def forward(self, features: Tensor) -> Tensor:
        """(B, 2C, bins, frames) to (B, latent_scale * latent_dim, ceil(frames / stride))."""
        size = self._layout.chunk_size or features.shape[-1]
        latent = in_chunks(
            self.convolved, features, size=size, context=self.context, down=self.stride
        )
        refined: Tensor = self.sequence(latent)
        return refined

    def convolved(self, features: Tensor) -> Tensor:
        """All but the network that sees every latent frame."""
        shrunk: Tensor = self.layers(features)
        folded = fold(shrunk, parts=self._layout.parts)[:, :, None]  # (B, folded, 1, F)
        latent: Tensor = self.to_latent(self.activation(folded))
        return latent[:, :, 0]


class SpectralDecoder(nn.Module):
    """Latent frames to spectrograms; the encoder in reverse, with transposed convolutions."""

    def __init__(self, layout: SpectralLayout) -> None:
        super().__init__()
        self._layout = layout
        size, stages = layout.kernel_size, len(layout.ratios)
        width = layout.num_filters * 2**stages
        self._bins = layout.num_bins[-1]
        self.sequence = layout.sequence_model(layout.latent_dim)
        self.from_latent = layout.conv(
            layout.latent_dim // layout.parts, width * self._bins, kernel_size=(1, size)
        )
        layers: list[nn.Module] = []
        for stage in reversed(range(stages)):
            ratio = layout.ratios[stage]
            up = TrimmedConvTranspose2d(
                width,
                width // 2,
                kernel_size=doubled(ratio),
                stride=ratio,
                num_bins=layout.num_bins[stage],
                norm=layout.norm,
                arithmetic=layout.arithmetic,
            )
            layers += [layout.activation_of(width), up]
            width //= 2
            layers += layout.residual_blocks(width)
        layers += [
            layout.activation_of(width),
            layout.conv(width, 2 * layout.channels // layout.parts, kernel_size=(size, size)),
        ]
        self.layers = nn.Sequential(*layers)
        self.stride = layout.frame_stride
        self.context = ceil(decoder_reach(layout.reach))

    def forward(self, latent: Tensor) -> Tensor:
        """(B, latent_dim, F) to (B, 2C, bins, F * stride)."""
        latent = self.sequence(latent)
        size = self._layout.chunk_size // self.stride or latent.shape[-1]
        return in_chunks(self.convolved, latent, size=size, context=self.context, up=self.stride)

    def convolved(self, latent: Tensor) -> Tensor:
        """All but the network that sees every latent frame."""
        folded: Tensor = self.from_latent(latent[:, :, None])
        unfolded = unfold(folded[:, :, 0], self._bins, parts=self._layout.parts)
        features: Tensor = self.layers(unfolded)
        return features
