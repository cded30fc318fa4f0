"""An encoder and a decoder that belong together."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Maps audio to a latent sequence and back; what lies between is the codec's business.

    Args:
        encoder: (B, C, T) to (B, D, ceil(T / hop_length)).
        decoder: (B, D, F) to (B, C, at least the samples that were encoded).
        latent_dim: D.
        hop_length: Samples per latent frame.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, *, latent_dim: int, hop_length: int
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim
        self.hop_length = hop_length

    def encode(self, audio: Tensor) -> Tensor:
        """The latent sequence (B, D, ceil(T / hop_length)) of audio (B, C, T)."""
        latent: Tensor = self.encoder(audio)
        return latent

    def decode(self, latent: Tensor, num_samples: int) -> Tensor:
        """The first `num_samples` samples (B, C, num_samples) of a latent sequence (B, D, F)."""
        audio: Tensor = self.decoder(latent)
        assert audio.shape[-1] >= num_samples, (audio.shape, num_samples)
        return audio[..., :num_samples]

    def forward(self, audio: Tensor) -> Tensor:
        """The reconstruction (B, C, T) of audio (B, C, T) without a bottleneck."""
        return self.decode(self.encode(audio), audio.shape[-1])


class Layout(Protocol):
    """The numbers that describe a generator, as a profile gives them."""

    def build(self) -> Autoencoder:
        """A new generator, its weights drawn from torch's default random generator."""
        ...
