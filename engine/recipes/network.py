"""The codec as one network: level, encoder, quantizer, decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks import Autoencoder
from codecctl.engine.quantizers import Quantized, Quantizer

SCALE_BITS = 32
"""Size of the level of one second of one signal, coded beside the codes."""


class Coded(NamedTuple):
    """What the codec made of a batch.

    A named tuple, as wrappers of distributed strategies rebuild what a network returns and cannot
    rebuild frozen dataclasses.
    """

    estimate: Tensor
    """Reconstruction (N, C, T), float32."""
    latent: Tensor
    """Output of the encoder (N, D, F)."""
    codes: Tensor
    """(N, K, F), int64."""
    stages: Tensor
    """Straight-through vectors of each quantizer stage, (K, N, D, F)."""
    commitment: Tensor
    """Mean over stages of the squared distance to the chosen entries, (N,)."""
    attraction: Tensor
    """The same for learned codebooks, with a gradient to the entries, (N,)."""

    def quantizer_terms(self, weights: Mapping[str, float]) -> dict[str, Tensor]:
        """Terms of the quantizer that have a weight, for each signal (N,)."""
        terms = {"commitment": self.commitment, "codebook": self.attraction}
        return {name: values for name, values in terms.items() if name in weights}


def level_per_second(audio: Tensor, *, sample_rate: int) -> Tensor:
    """Root mean square of each second, repeated over it: (N, C, T) to (N, 1, T).

    The seconds lie on a fixed grid from the first sample on, so that audio coded in pieces of
    whole seconds has the levels of audio coded at once; the last one may be shorter. Channels are
    averaged before, as one level serves all of them.
    """
    num_samples = audio.shape[-1]
    mono = audio.mean(1, keepdim=True)
    padded = functional.pad(mono, (0, -num_samples % sample_rate))
    energy = padded.reshape(*mono.shape[:2], -1, sample_rate).square().sum(-1)  # (N, 1, seconds)
    seconds = torch.arange(energy.shape[-1], device=audio.device)
    lengths = (num_samples - seconds * sample_rate).clamp(max=sample_rate)
    level: Tensor = (energy / lengths).sqrt() + 1e-8
    return level.repeat_interleave(sample_rate, dim=-1)[..., :num_samples]


class CodecNetwork(nn.Module):
    """An autoencoder with a quantizer between its halves.

    Args:
        autoencoder: Encoder and decoder.
        quantizer: Codes the latent frames.
        sample_rate: Hz.
        normalize: Divide the audio by its level of each second before coding and multiply after,
            so that the codebooks hold sounds and not levels.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        quantizer: Quantizer,
        *,
        sample_rate: int,
        normalize: bool,
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.quantizer = quantizer
        self.sample_rate = sample_rate
        self.normalize = normalize

    def forward(self, audio: Tensor, depths: Tensor | None = None) -> Coded:
        """Code and decode audio (N, C, T), with so many codebooks for each signal (N,)."""
        level = self._level(audio)
        latent = self.autoencoder.encode(audio / level)
        quantized: Quantized = self.quantizer(latent, depths)
        decoded = self.autoencoder.decode(quantized.latent, audio.shape[-1])
        return Coded(
            estimate=decoded.to(audio.dtype) * level,
            latent=latent,
            codes=quantized.codes,
            stages=quantized.stages,
            commitment=quantized.commitment,
            attraction=quantized.attraction,
        )

    def encode(self, audio: Tensor) -> Tensor:
        """Latent frames before quantization: (N, C, T) to (N, D, F)."""
        return self.autoencoder.encode(audio / self._level(audio))

    def _level(self, audio: Tensor) -> Tensor:
        if self.normalize:
            return level_per_second(audio, sample_rate=self.sample_rate)
        return torch.ones((), device=audio.device, dtype=audio.dtype)

    @property
    def bitrate_kbps(self) -> float:
        """Nominal bitrate of one signal: codes of all stages and the levels."""
        frame_rate = self.sample_rate / self.autoencoder.hop_length
        bits_per_second = self.quantizer.bits_per_frame * frame_rate
        return (bits_per_second + (SCALE_BITS if self.normalize else 0)) / 1000

    def size_note(self) -> str:
        """What one second of a signal takes, in a sentence."""
        if self.quantizer.num_codebooks:
            return f"val/bitrate_kbps is of one signal: codes and level, {self.bitrate_kbps:g}."
        numbers = self.quantizer.dim * self.sample_rate / self.autoencoder.hop_length
        return (
            f"No quantizer, so no bitrate: a signal becomes {numbers:g} numbers a second, "
            f"{16 * numbers / 1000:g} kb/s if each were stored in 16 bits."
        )
