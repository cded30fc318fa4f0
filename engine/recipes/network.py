"""The codec as one network: level, encoder, quantizer, decoder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn

from codecctl.engine.networks import Autoencoder
from codecctl.engine.quantizers import Quantized, Quantizer
from codecctl.engine.recipes.levels import SCALE_BITS, Level

if TYPE_CHECKING:
    from typing_extensions import Self


class Coded(NamedTuple):
    """What the codec made of a batch.

    A named tuple, as wrappers of distributed strategies rebuild what a network returns and cannot
    rebuild frozen dataclasses.
    """

    estimate: Tensor
    """Reconstruction (N, C, T), float32."""
    emitted: Tensor
    """What the decoder itself gave: the estimate, or the features that it is rendered from."""
    target: Tensor
    """What it should have given, shaped like `emitted`: the audio, or its features."""
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
    divergence: Tensor
    """Of the distribution that the latent was drawn from, (N,); 0 where it is not drawn."""

    def quantizer_terms(self, weights: Mapping[str, float]) -> dict[str, Tensor]:
        """Terms of the quantizer that have a weight, for each signal (N,)."""
        terms = {
            "commitment": self.commitment,
            "codebook": self.attraction,
            "kl": self.divergence,
        }
        return {name: values for name, values in terms.items() if name in weights}


class CodecNetwork(nn.Module):
    """An autoencoder with a quantizer between its halves.

    Args:
        autoencoder: Encoder and decoder.
        quantizer: Codes the latent frames.
        sample_rate: Hz.
        channels: C.
        level: Divides the audio before coding and multiplies it after, so that the codebooks hold
            sounds and not levels.
    """

    def __init__(
        self,
        autoencoder: Autoencoder,
        quantizer: Quantizer,
        *,
        sample_rate: int,
        channels: int = 1,
        level: Level,
    ) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.quantizer = quantizer
        self.sample_rate = sample_rate
        self.channels = channels
        self.level = level
        self._frozen: tuple[nn.Module, ...] = ()

    def freeze(self, parts: Collection[str]) -> None:
        """Let nothing change `parts` of "encoder", "quantizer" and "decoder", and all else learn.

        A frozen part stays in evaluation mode: its codebooks and running statistics stand still.
        """
        named = {
            "encoder": self.autoencoder.encoder,
            "quantizer": cast(nn.Module, self.quantizer),
            "decoder": self.autoencoder.decoder,
        }
        for name, part in named.items():
            part.requires_grad_(name not in parts)
        self._frozen = tuple(part for name, part in named.items() if name in parts)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode for what is not frozen."""
        super().train(mode)
        for part in self._frozen:
            for module in part.modules():
                # cuDNN has no backward of a recurrent layer in evaluation mode; none drops units.
                module.training = mode and isinstance(module, nn.RNNBase)
        return self

    def forward(self, audio: Tensor, draws: Tensor | None = None) -> Coded:
        """Code and decode audio (N, C, T), with what was drawn for each signal (N, ...)."""
        level = self.level(audio)
        features = self.autoencoder.analyze(audio / level)
        latent = self.autoencoder.encode_features(features)
        quantized: Quantized = self.quantizer(latent, draws)
        decoded = self.autoencoder.emit(quantized.latent, audio.shape[-1]).to(audio.dtype)
        emits_audio = self.autoencoder.emits_audio
        emitted = decoded * level if emits_audio else decoded
        divergence = quantized.divergence
        return Coded(
            estimate=self.render(emitted, audio),
            emitted=emitted,
            target=audio if emits_audio else features,
            latent=latent,
            codes=quantized.codes,
            stages=quantized.stages,
            commitment=quantized.commitment,
            attraction=quantized.attraction,
            divergence=torch.zeros_like(quantized.commitment) if divergence is None else divergence,
        )

    def render(self, emitted: Tensor, reference: Tensor) -> Tensor:
        """The audio (N, C, T) of what the decoder emitted for a reference (N, C, T)."""
        if self.autoencoder.emits_audio:
            return emitted
        return self.autoencoder.render(emitted, reference.shape[-1]) * self.level(reference)

    def at_depth(self, codes: Tensor, depth: int, reference: Tensor) -> Tensor:
        """What the first `depth` codebooks of each group decode to, (N, C, T).

        Args:
            codes: (N, K, F), of all codebooks.
            depth: From 1 to the quantizer's `max_depth`.
            reference: (N, C, T), whose levels travel beside the codes.
        """
        groups = self.quantizer.num_codebooks // self.quantizer.max_depth
        latent = self.quantizer.decode(codes[:, : depth * groups])
        decoded = self.autoencoder.decode(latent, reference.shape[-1])
        return decoded.to(reference.dtype) * self.level(reference)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Code and decode audio (N, C, T) without keeping what lies between."""
        level = self.level(audio)
        quantized: Quantized = self.quantizer(self.autoencoder.encode(audio / level))
        decoded = self.autoencoder.decode(quantized.latent, audio.shape[-1])
        return decoded.to(audio.dtype) * level

    def encode(self, audio: Tensor) -> Tensor:
        """Latent frames before quantization: (N, C, T) to (N, D, F)."""
        return self.autoencoder.encode(audio / self.level(audio))

    @property
    def bitrate_kbps(self) -> float:
        """Nominal bitrate of one signal: codes of all stages and the levels."""
        frame_rate = self.sample_rate / self.autoencoder.hop_length
        bits_per_second = self.quantizer.bits_per_frame * frame_rate
        return (bits_per_second + self.level.bits_per_second(self.channels)) / 1000

    @property
    def normalize(self) -> bool:
        """Whether levels are coded beside the codes."""
        return self.level.bits_per_second(self.channels) > 0

    def size_note(self) -> str:
        """What one second of a signal takes, in a sentence."""
        if self.quantizer.num_codebooks:
            return f"val/bitrate_kbps is of one signal: codes and level, {self.bitrate_kbps:g}."
        frames = self.quantizer.dim * self.sample_rate / self.autoencoder.hop_length
        numbers = frames + self.level.bits_per_second(self.channels) / SCALE_BITS
        return (
            f"No quantizer, so no bitrate: a signal becomes {numbers:g} numbers a second, "
            f"{16 * numbers / 1000:g} kb/s if each were stored in 16 bits."
        )
