"""Discriminators on the waveform itself, at several rates.

Kumar et al. 2019 (https://arxiv.org/abs/1910.06711), section 2.2, as SoundStream uses them
(Zeghidour et al. 2021, https://arxiv.org/abs/2107.03312, section 3.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.judgement import Judgement

_POOLED = 4
"""Samples of an average, whatever the step between averages."""
_STRIDE = 4
_STRIDED_LAYERS = 4
_CHANNELS_OF_A_GROUP = 4


class WaveformDiscriminator(nn.Module):
    """Judges audio by grouped, strided convolutions; unpadded and without normalization."""

    def __init__(self, *, channels: int, num_filters: int, max_filters: int, leak: float) -> None:
        super().__init__()
        self.leak = leak
        widths = [num_filters]
        while len(widths) <= _STRIDED_LAYERS:
            widths.append(min(4 * widths[-1], max_filters))
        convs: list[nn.Module] = [nn.Conv1d(channels, num_filters, 15)]
        for before, width in pairwise(widths):
            groups = max(1, before // _CHANNELS_OF_A_GROUP)
            convs.append(nn.Conv1d(before, width, 41, _STRIDE, groups=groups))
        convs.append(nn.Conv1d(widths[-1], widths[-1], 5))
        self.convs = nn.ModuleList(convs)
        self.logits = nn.Conv1d(widths[-1], 1, 3)

    def forward(self, audio: Tensor) -> Judgement:
        """Judge audio (B, C, T): logits (B, 1, F, 1) and maps (B, width, F, 1)."""
        features = audio
        feature_maps: list[Tensor] = []
        for conv in self.convs:
            features = functional.leaky_relu(conv(features), self.leak)
            feature_maps.append(features[..., None])
        return self.logits(features)[..., None], feature_maps


class MultiRateDiscriminator(nn.Module):
    """One `WaveformDiscriminator` for each rate of the audio.

    Args:
        channels: Audio channels judged together.
        factors: Down-sampling of each, by averages of four samples; 1: the audio itself.
        num_filters: Width of the first layer; the next three are four times as wide as the last.
        max_filters: Bound of the width.
        leak: Negative slope of the LeakyReLU.
    """

    def __init__(
        self,
        *,
        channels: int,
        factors: Sequence[int],
        num_filters: int,
        max_filters: int,
        leak: float,
    ) -> None:
        super().__init__()
        self.factors = tuple(factors)
        self.scales = nn.ModuleList(
            WaveformDiscriminator(
                channels=channels, num_filters=num_filters, max_filters=max_filters, leak=leak
            )
            for _ in self.factors
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Judge audio (B, C, T) at every rate."""
        return [
            scale(audio if factor == 1 else functional.avg_pool1d(audio, _POOLED, factor))
            for scale, factor in zip(self.scales, self.factors, strict=True)
        ]
