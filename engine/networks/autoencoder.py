"""An encoder and a decoder that belong together."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn


class Front(Protocol):
    """Turns audio into the features that the networks see, and back; it learns nothing."""

    hop_length: int
    """Samples per feature frame."""

    def analyze(self, audio: Tensor) -> Tensor:
        """Features (B, ..., frames) of audio (B, C, T)."""
        ...

    def synthesize(self, features: Tensor, num_samples: int) -> Tensor:
        """Audio (B, C, num_samples) of features (B, ..., frames)."""
        ...

    def num_frames(self, num_samples: int) -> int:
        """Feature frames of so many samples."""
        ...


class Stream(Protocol):
    """Codes and decodes audio of any length in bounded memory."""

    def encode(self, audio: Tensor) -> Tensor:
        """The latent sequence (B, D, F) of audio (B, C, T)."""
        ...

    def decode(self, latent: Tensor, num_samples: int) -> Tensor:
        """Audio (B, C, num_samples) of a latent sequence (B, D, F)."""
        ...


class Autoencoder(nn.Module):
    """Maps audio to a latent sequence and back; what lies between is the codec's business.

    Args:
        encoder: Features, or audio (B, C, T) without a front, to (B, D, F) with one latent frame
            for every begun `hop_length` samples.
        decoder: (B, D, F) to features or audio, at least as many frames as were encoded.
        latent_dim: Width of what the decoder takes.
        hop_length: Samples per latent frame.
        front: Between audio and features; None: the networks see audio.
        stream: Codes and decodes long audio a piece at a time where no gradient is asked for.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        *,
        latent_dim: int,
        hop_length: int,
        front: Front | None = None,
        stream: Stream | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = latent_dim
        self.hop_length = hop_length
        self.front = front
        self.stream = stream

    @property
    def emits_audio(self) -> bool:
        """Whether the decoder's output is audio as it is."""
        return self.front is None

    def analyze(self, audio: Tensor) -> Tensor:
        """What the encoder is given of audio (B, C, T), and the decoder should emit."""
        return audio if self.front is None else self.front.analyze(audio)

    def encode_features(self, features: Tensor) -> Tensor:
        """The latent sequence (B, D, F) of what `analyze` gave."""
        latent: Tensor = self.encoder(features)
        return latent

    def emit(self, latent: Tensor, num_samples: int) -> Tensor:
        """What the decoder makes of a latent sequence (B, D, F): features of so many samples."""
        emitted: Tensor = self.decoder(latent)
        frames = num_samples if self.front is None else self.front.num_frames(num_samples)
        assert emitted.shape[-1] >= frames, (emitted.shape, frames)
        return emitted[..., :frames]

    def render(self, emitted: Tensor, num_samples: int) -> Tensor:
        """Audio (B, C, num_samples) of what the decoder emitted."""
        return emitted if self.front is None else self.front.synthesize(emitted, num_samples)

    def num_latents(self, num_samples: int) -> int:
        """Latent frames of so many samples."""
        if self.front is None:
            return -(-num_samples // self.hop_length)
        stride = self.hop_length // self.front.hop_length
        return -(-self.front.num_frames(num_samples) // stride)

    def encode(self, audio: Tensor) -> Tensor:
        """The latent sequence (B, D, num_latents(T)) of audio (B, C, T)."""
        if self.stream is not None and not torch.is_grad_enabled():
            return self.stream.encode(audio)
        return self.encode_features(self.analyze(audio))

    def decode(self, latent: Tensor, num_samples: int) -> Tensor:
        """The first `num_samples` samples (B, C, num_samples) of a latent sequence (B, D, F)."""
        if self.stream is not None and not torch.is_grad_enabled():
            return self.stream.decode(latent, num_samples)
        return self.render(self.emit(latent, num_samples), num_samples)

    def forward(self, audio: Tensor) -> Tensor:
        """The reconstruction (B, C, T) of audio (B, C, T) without a bottleneck."""
        return self.decode(self.encode(audio), audio.shape[-1])


class Layout(Protocol):
    """The numbers that describe a generator, as a profile gives them."""

    def build(self) -> Autoencoder:
        """A new generator, its weights drawn from torch's default random generator."""
        ...
