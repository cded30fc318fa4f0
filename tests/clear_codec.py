"""A codec that loses nothing: its latent frames are the audio, its codebooks are known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecctl.engine.networks import Autoencoder
from codecctl.engine.quantizers import ResidualVectorQuantizer
from codecctl.engine.recipes.levels import FixedLevel, LevelPerSecond
from codecctl.engine.recipes.network import CodecNetwork

HOP, FRAMES, ENTRIES = 8, 150, 4


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Framed(nn.Module):
    """(N, 1, T) to (N, HOP, T / HOP)."""

    def forward(self, audio: Tensor) -> Tensor:
        return audio.reshape(len(audio), -1, HOP).transpose(1, 2)


class Joined(nn.Module):
    """The way back."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, latent: Tensor) -> Tensor:
        return self.gain * latent.transpose(1, 2).reshape(len(latent), 1, -1)


def codec(*, normalize: bool = False) -> CodecNetwork:
    """A codec whose frames are the audio itself, with large first and small second entries."""
    quantizer = ResidualVectorQuantizer(
        dim=HOP,
        num_codebooks=2,
        codebook_size=ENTRIES,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=1,
        dead_threshold=0.0,
        ema="correct",
    )
    scales = torch.tensor([1.0, 0.01])[:, None, None]
    quantizer.codebooks.copy_(scales * noise(2, ENTRIES, HOP))
    autoencoder = Autoencoder(Framed(), Joined(), latent_dim=HOP, hop_length=HOP)
    level = LevelPerSecond(8 * 75) if normalize else FixedLevel()
    return CodecNetwork(autoencoder, quantizer, sample_rate=8 * 75, level=level).eval()


def scene(network: CodecNetwork, *, capsules: int = 2) -> tuple[Tensor, Tensor]:
    """Items whose capsules share their first codes, and their codes (2, M, 2, F)."""
    generator = torch.Generator().manual_seed(1)
    shared = torch.randint(ENTRIES, (2, 1, FRAMES), generator=generator)
    own = torch.randint(ENTRIES, (2, capsules, FRAMES), generator=generator)
    codes = torch.stack([shared.expand_as(own), own], 2)
    latent = network.quantizer.decode(codes.flatten(0, 1))
    audio = network.autoencoder.decode(latent, FRAMES * HOP).detach()
    return audio.reshape(2, capsules, -1), codes
