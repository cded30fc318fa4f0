"""Recordings of any length through a spectral autoencoder, a piece at a time.

Spectrograms are several times as large as their audio and activations a hundred times: of neither
more than one piece is ever held.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from codecctl.engine.networks.spectral_front import SpectralFront


class Half(Protocol):
    """An encoder or a decoder."""

    stride: int
    """Spectrogram frames per latent frame."""
    context: int
    """Frames of its input on either side that an output depends on, at most."""

    def convolved(self, frames: Tensor) -> Tensor:
        """What its convolutions make of a piece."""
        ...

    def sequence(self, latent: Tensor) -> Tensor:
        """What sees every latent frame (B, D, F), and so takes them all at once."""
        ...


class SpectralStream:
    """Codes and decodes audio piece by piece; without gradients.

    Args:
        encoder: Spectrograms to latent frames.
        decoder: Latent frames to spectrograms.
        front: Audio to spectrograms and back.
        size: Spectrogram frames of a piece, a multiple of the encoder's stride.
    """

    def __init__(self, encoder: Half, decoder: Half, front: SpectralFront, *, size: int) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._front = front
        self._size = size

    def encode(self, audio: Tensor) -> Tensor:
        """The latent sequence (B, D, F) of audio (B, C, T)."""
        padded, total = self._front.padded(audio), self._front.num_frames(audio.shape[-1])
        stride, context = self._encoder.stride, self._encoder.context
        made: list[Tensor] = []
        for first in range(0, total, self._size):
            last = min(first + self._size, total)
            start, end = max(0, first - context), min(last + context, total)
            latent = self._encoder.convolved(self._front.frames(padded, start, end))
            skipped = (first - start) // stride
            made.append(latent[..., skipped : skipped - (first - last) // stride])
        return self._encoder.sequence(torch.cat(made, -1))

    def decode(self, latent: Tensor, num_samples: int) -> Tensor:
        """Audio (B, C, num_samples) of a latent sequence (B, D, F)."""
        front, total = self._front, self._front.num_frames(num_samples)
        stride, context = self._decoder.stride, self._decoder.context
        latent = self._decoder.sequence(latent)
        summed: Tensor | None = None
        for first in range(0, total, self._size):
            last = min(first + self._size, total)
            start = max(0, first // stride - context)
            end = -(-last // stride) + context
            features = self._decoder.convolved(latent[..., start:end])
            skipped = first - start * stride
            part = front.overlapped(features[..., skipped : skipped + last - first])
            if summed is None:
                length = (total - 1) * front.hop_length + front.n_fft
                summed = part.new_zeros(*part.shape[:2], length)
            at = first * front.hop_length
            summed[..., at : at + part.shape[-1]] += part
        assert summed is not None, "a spectrogram has a frame"
        return front.finished(summed, total, num_samples)
