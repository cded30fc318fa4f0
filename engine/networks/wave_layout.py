"""What the layouts of all autoencoders on waveforms share."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import nn

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.conv import Initialization, preserve_variance


class WaveLayout:
    """Strided halves around a latent sequence; a dataclass gives the values."""

    latent_dim: int
    strides: Sequence[int]
    initialization: Initialization

    @property
    def hop_length(self) -> int:
        """Samples per latent frame."""
        return prod(self.strides)

    def joined(self, encoder: nn.Module, decoder: nn.Module) -> Autoencoder:
        """Both halves as one, their weights as the layout says."""
        autoencoder = Autoencoder(
            encoder, decoder, latent_dim=self.latent_dim, hop_length=self.hop_length
        )
        if self.initialization == "variance_preserving":
            preserve_variance(autoencoder)
        return autoencoder
