"""Whether first codes hold what capsules share: decode one capsule with those of another.

If the first codebook codes the content and the second what tells capsules apart, the first codes
of A with the second ones of B sound like B, and a whole array can share one stream of first
codes: with two codebooks of 1024 entries and 75 frames a second, 32 capsules then take
0.75 + 32 * 0.75 = 24.75 kb/s instead of 48.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from codecctl.engine.metrics import METRICS, WaveMetric, spatial_errors
from codecctl.engine.quantizers import LearnedResidualQuantizer, ResidualVectorQuantizer
from codecctl.engine.quantizers.base import as_rows
from codecctl.engine.quantizers.residual import code_residuals
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.errors import ProfileError

Source = Literal["mean", "first"]
"""Whose first codes serve all: the entry nearest to the mean latent, or those of capsule 0."""


@dataclass(frozen=True)
class SharedCoding:
    """All capsules of an item, coded with one stream of first codes."""

    estimate: Tensor
    """(B, M, T)."""
    shared: Tensor
    """First codes (B, F), int64."""
    codes: Tensor
    """The other codes of each capsule (B, M, K - 1, F), int64."""
    codes_kbps: float
    """Codes of all capsules of an item."""
    apart_kbps: float
    """The same with first codes for every capsule."""
    levels_kbps: float
    """Levels of all capsules, which come on top of either."""


@dataclass(frozen=True)
class SharedComparison:
    """What sharing the first codes costs."""

    coding: SharedCoding
    codes: Tensor
    """Of each capsule's own (B, M, K, F)."""
    vectors: Tensor
    """Of the quantizer's stages (K, B, M, D, F)."""
    shared: Mapping[str, Tensor]
    """By metric, (B,): distances of the reconstruction, and errors between its channels."""
    apart: Mapping[str, Tensor]
    """The same where every capsule has its own first codes."""


class TokenSwap:
    """Decodes with exchanged codes and scores what comes out.

    Args:
        network: A codec of one channel with two codebooks or more.
    """

    def __init__(self, network: CodecNetwork) -> None:
        self._network = network
        device = next(network.parameters()).device
        self._metrics: dict[str, WaveMetric] = {}
        for name, build in METRICS.items():
            metric = build(network.sample_rate)
            self._metrics[name] = metric.to(device) if isinstance(metric, nn.Module) else metric

    @property
    def possible(self) -> bool:
        """Whether there is a second codebook."""
        return self._network.quantizer.num_codebooks >= 2

    @property
    def refits(self) -> bool:
        """Whether what a shared first code leaves can be coded again: residual codebooks can."""
        residual = (ResidualVectorQuantizer, LearnedResidualQuantizer)
        return self.possible and isinstance(self._network.quantizer, residual)

    def measure(self, codes: Tensor, estimate: Tensor, audio: Tensor) -> dict[str, Tensor]:
        """Score items in which every capsule has the first codes of the first capsule.

        Args:
            codes: As each capsule was coded, (B, M, K, F), M >= 2.
            estimate: As each was decoded, (B, M, T).
            audio: (B, M, T).

        Returns:
            (B,) each: `swap/mel` and its kin are means over all capsules but the first, each
            against its own audio; `swap/level_error` and its kin are those of the whole item.
        """
        with evaluating([self._network]):
            others = codes[:, 1:].clone()  # (B, M - 1, K, F)
            others[:, :, 0] = codes[:, :1, 0]
            decoded = self._decode(others, audio[:, 1:])
            scores = self._scores(decoded, audio[:, 1:])
            together = torch.cat([estimate[:, :1], decoded], 1)
            return {f"swap/{name}": value for name, value in scores.items()} | {
                f"swap/{name}": value for name, value in spatial_errors(together, audio).items()
            }

    def decode(self, first: Tensor, others: Tensor, audio: Tensor) -> Tensor:
        """What the first codes of one capsule and the other codes of another sound like.

        Args:
            first: First codes (B, F).
            others: Codes of the other codebooks (B, M, K - 1, F).
            audio: Of the capsules that gave the others, (B, M, T): their levels are kept.

        Returns:
            (B, M, T).
        """
        shared = first[:, None, None].expand(*others.shape[:2], 1, others.shape[-1])
        with evaluating([self._network]):
            return self._decode(torch.cat([shared, others], 2), audio)

    def exchange(self, audio: Tensor) -> Tensor:
        """Each capsule with the first codes of the one before it, the first with the last one's.

        Of two capsules A and B: the first codes of B with the others of A, and of A with B's.

        Args:
            audio: (B, M, T), M >= 2.

        Returns:
            (B, M, T), at the level of the capsules that gave the other codes.

        Raises:
            ProfileError: There is no second codebook.
        """
        self._need_second()
        network = self._network
        with evaluating([network]):
            latent = network.encode(audio.flatten(0, 1)[:, None])
            codes = network.quantizer.encode(latent)
            codes = codes.reshape(*audio.shape[:2], *codes.shape[1:])  # (B, M, K, F)
            first = codes[:, :, :1].roll(1, dims=1)
            return self._decode(torch.cat([first, codes[:, :, 1:]], 2), audio)

    def share(self, audio: Tensor, *, source: Source = "mean", refit: bool = True) -> SharedCoding:
        """Code items with one stream of first codes for all of their capsules.

        Args:
            audio: (B, M, T).
            source: Whose first codes are shared.
            refit: Choose the other codes for what the shared code leaves of each capsule; else
                they stay those that belong to the capsule's own first code.

        Raises:
            ProfileError: There is no second codebook, or no residual that could be coded again.
        """
        self._need_second()
        with evaluating([self._network]):
            latent = self._network.encode(audio.flatten(0, 1)[:, None])  # (B * M, D, F)
            return self._shared(audio, latent, source=source, refit=refit)

    def compare(
        self, audio: Tensor, *, source: Source = "mean", refit: bool = True
    ) -> SharedComparison:
        """Score shared first codes beside codes of each capsule's own; arguments as in `share`."""
        self._need_second()
        network = self._network
        items, capsules, _ = audio.shape
        with evaluating([network]):
            latent = network.encode(audio.flatten(0, 1)[:, None])
            quantized = network.quantizer(latent)
            codes = quantized.codes.reshape(items, capsules, *quantized.codes.shape[1:])
            coding = self._shared(audio, latent, source=source, refit=refit)
            own = self._decode(codes, audio)
            return SharedComparison(
                coding=coding,
                codes=codes,
                vectors=quantized.stages.reshape(-1, items, capsules, *latent.shape[1:]),
                shared={**self._scores(coding.estimate, audio), **_between(coding.estimate, audio)},
                apart={**self._scores(own, audio), **_between(own, audio)},
            )

    def _need_second(self) -> None:
        if not self.possible:
            raise ProfileError(
                "model.quantizer.num_codebooks: found 1, needed 2 to share the first"
            )

    def _shared(
        self, audio: Tensor, latent: Tensor, *, source: Source, refit: bool
    ) -> SharedCoding:
        """Code items (B, M, T) of which the latent frames (B * M, D, F) are known."""
        network = self._network
        items, capsules, _ = audio.shape
        by_item = latent.reshape(items, capsules, *latent.shape[1:])
        chosen = by_item.mean(1) if source == "mean" else by_item[:, 0]
        shared = network.quantizer.encode(chosen)[:, 0]  # (B, F)
        first = shared.repeat_interleave(capsules, 0)[:, None]  # (B * M, 1, F)
        others = self._refitted(latent, first) if refit else self._own(latent)
        codes = torch.cat([first, others], 1).reshape(items, capsules, -1, first.shape[-1])
        stages = network.quantizer.num_codebooks
        bits = network.quantizer.bits_per_frame * network.sample_rate
        each = bits / network.autoencoder.hop_length / stages / 1000  # kb/s of one stream
        return SharedCoding(
            estimate=self._decode(codes, audio),
            shared=shared,
            codes=codes[:, :, 1:],
            codes_kbps=each * (1 + capsules * (stages - 1)),
            apart_kbps=each * capsules * stages,
            levels_kbps=capsules * network.level.bits_per_second(1) / 1000,
        )

    def _decode(self, codes: Tensor, audio: Tensor) -> Tensor:
        """Codes (B, M, K, F) at the levels of audio (B, M, T), to (B, M, T)."""
        network = self._network
        latent = network.quantizer.decode(codes.flatten(0, 1))
        decoded = network.autoencoder.decode(latent, audio.shape[-1]).to(audio.dtype)
        decoded = decoded * network.level(audio.flatten(0, 1)[:, None])
        return decoded.reshape(audio.shape)

    def _scores(self, estimate: Tensor, audio: Tensor) -> dict[str, Tensor]:
        """Mean over capsules of each metric, (B,)."""
        ours, theirs = (signals.flatten(0, 1)[:, None] for signals in (estimate, audio))
        return {
            name: metric(ours, theirs).view(audio.shape[:2]).mean(1)
            for name, metric in self._metrics.items()
        }

    def _own(self, latent: Tensor) -> Tensor:
        return self._network.quantizer.encode(latent)[:, 1:]

    def _refitted(self, latent: Tensor, first: Tensor) -> Tensor:
        """Codes (N, K - 1, F) of what the given first codes (N, 1, F) leave of latents."""
        quantizer = self._network.quantizer
        if not isinstance(quantizer, (ResidualVectorQuantizer, LearnedResidualQuantizer)):
            raise ProfileError(
                "model.quantizer: found no residual codebooks, needed for codes that are chosen "
                "again (refit)"
            )
        residual = latent.to(quantizer.codebooks.dtype) - quantizer.decode(first)
        codes = code_residuals(as_rows(residual), quantizer.codebooks[1:]).codes
        return codes.view(codes.shape[0], len(latent), -1).transpose(0, 1)


def _between(estimate: Tensor, audio: Tensor) -> Mapping[str, Tensor]:
    return spatial_errors(estimate, audio) if audio.shape[1] > 1 else {}
