"""What may stand in the middle of an autoencoder: a network that sees all latent frames."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.seanet import ResidualLSTM

SeqModel = Literal["none", "lstm", "transformer"]


class TransformerBlock(nn.Module):
    """Attention over all frames, then a layer of four times the width; each added to its input.

    Normalized before each (Xiong et al. 2020, https://arxiv.org/abs/2002.04745). Frames carry no
    position: the convolutions on either side tell neighbours apart, and any length is like another.

    Args:
        width: Numbers of a frame.
        num_heads: A divisor of the width.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self._num_heads = num_heads
        self.before_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Refine frames (B, F, width)."""
        projected: Tensor = self.queries_keys_values(self.before_attention(frames))
        heads = projected.unflatten(-1, (3, self._num_heads, -1))  # type: ignore[no-untyped-call]  # torch's
        queries, keys, values = heads.permute(2, 0, 3, 1, 4)  # (B, heads, F, width / heads) each
        attended = functional.scaled_dot_product_attention(queries, keys, values)
        frames = frames + self.mixed(attended.transpose(1, 2).flatten(2))
        refined: Tensor = frames + self.feed_forward(frames)
        return refined


class Transformer(nn.Module):
    """Blocks of attention over latent frames."""

    def __init__(self, width: int, *, num_layers: int, num_heads: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *[TransformerBlock(width, num_heads) for _ in range(num_layers)]
        )

    def forward(self, latent: Tensor) -> Tensor:
        """Refine a latent sequence (B, width, F)."""
        refined: Tensor = self.blocks(latent.transpose(1, 2))
        return refined.transpose(1, 2)


def sequence_model(kind: SeqModel, width: int, *, num_layers: int, num_heads: int) -> nn.Module:
    """A network from (B, width, F) to the same shape, of the kind that a profile names."""
    if kind == "lstm":
        return ResidualLSTM(width, num_layers)
    if kind == "transformer":
        return Transformer(width, num_layers=num_layers, num_heads=num_heads)
    return nn.Identity()
