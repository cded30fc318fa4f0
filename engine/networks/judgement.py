"""What a discriminator says of a signal."""

from __future__ import annotations

from torch import Tensor

Judgement = tuple[Tensor, list[Tensor]]
"""Of one scale: logits (B, 1, F, bins) and the feature maps (B, width, F, bins) before; bins is 1
where the waveform itself is judged. The last three axes are always width, time and frequency."""
