"""How the capsules of an item stand on the batch axis of a codec."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Stacking:
    """Capsule m of item b is signal b * M + m of the codec, or one channel of signal b."""

    apart: bool
    """Whether the codec has one channel, so that every capsule is a signal of its own."""

    def stack(self, audio: Tensor) -> Tensor:
        """(B, M, T) to (B * M, 1, T), or left as it is."""
        return audio.flatten(0, 1)[:, None] if self.apart else audio

    def num_groups(self, audio: Tensor) -> int:
        """Signals that an item (B, M, T) becomes."""
        return audio.shape[1] if self.apart else 1

    def by_item(self, values: Tensor, audio: Tensor) -> Tensor:
        """Signals on the first axis, (N, ...), to (B, N / B, ...)."""
        items = audio.shape[0]
        return values.reshape(items, len(values) // items, *values.shape[1:])

    def stages_by_item(self, stages: Tensor, audio: Tensor) -> Tensor:
        """Vectors of the quantizer's stages (K, N, D, F) to (K, B, M, D, F)."""
        items = audio.shape[0]
        return stages.reshape(len(stages), items, stages.shape[1] // items, *stages.shape[2:])
