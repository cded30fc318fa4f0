"""Decoder-only transformer over symbols of audio: the probability of each, given all before it.

The network of "Language Modeling Is Compression" (https://arxiv.org/abs/2309.10668), which the
audio language model's document trains: the input is the targets shifted right by one, with symbol
0 in front; embeddings times sqrt(D) plus sinusoids; blocks of causal attention without biases and
a feed-forward network with GELU, each with a residual connection and layer norm *after* it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from codecctl.engine.losses.precision import float32_island

LOGITS_AT_ONCE = 1 << 24
"""Numbers of the largest tensor of logits, 64 MiB: those of a whole batch would take 64 GiB with
65 536 symbols."""
BYTE = 256
_TIMESCALE = 1e4


@dataclass(frozen=True)
class TransformerLayout:
    """Sizes of a transformer."""

    bits: int
    """Of a symbol: 8, 16 or 24."""
    context: int
    """Longest sequence (T)."""
    embedding_dim: int
    """D."""
    num_layers: int
    num_heads: int
    """Of floor(D / num_heads) numbers each."""
    widening_factor: int
    head: str
    """`full` or `factorised`."""

    @property
    def num_bytes(self) -> int:
        """Bytes of a symbol."""
        return self.bits // 8

    def build(self) -> Transformer:
        """The network, its weights drawn from torch's generator."""
        return Transformer(self)


class Transformer(nn.Module):
    """Cost of each symbol of a sequence.

    Args:
        layout: Sizes.
    """

    def __init__(self, layout: TransformerLayout) -> None:
        super().__init__()
        self.layout = layout
        self.trunk = _Trunk(layout)
        self.head: nn.Module = (
            _FullHead(layout) if layout.head == "full" else _FactorisedHead(layout)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """What each symbol costs, in nats.

        Args:
            tokens: (B, T) int64 in [0, 2^bits), T at most `layout.context`.

        Returns:
            (B, T) float32: -log p(token | all tokens before it).
        """
        hidden: Tensor = self.trunk(shifted(tokens))  # (B, T, D)
        return self._costs(hidden.flatten(0, 1), tokens.flatten()).reshape(tokens.shape)

    def _costs(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """(N, D) and (N,) to (N,), so many at once that the logits stay small.

        The backward pass computes the logits of each part again instead of keeping them.
        """
        widest = BYTE if self.layout.head == "factorised" else 1 << self.layout.bits
        rows = max(1, LOGITS_AT_ONCE // widest)
        if len(targets) <= rows:
            whole: Tensor = self.head(hidden, targets)
            return whole
        parts = zip(torch.split(hidden, rows), torch.split(targets, rows), strict=True)
        return torch.cat(
            [
                cast(
                    Tensor,
                    checkpoint(self.head, *part, use_reentrant=False, preserve_rng_state=False),
                )
                for part in parts
            ]
        )


def shifted(tokens: Tensor) -> Tensor:
    """The symbol before each, 0 before the first: (B, T) to (B, T)."""
    return functional.pad(tokens[:, :-1], (1, 0))


def sinusoids(length: int, dim: int) -> Tensor:
    """Positions, (length, dim) float32: first all sines, then all cosines.

    As the original cuts its table of dim + 2 columns to dim, the sines have one frequency more
    than the cosines: 1e4^(-2i / dim) for i = 0 ... dim / 2.
    """
    frequencies = _TIMESCALE ** (-torch.arange(0, dim + 1, 2, dtype=torch.float64) / dim)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :dim].float()


def byte_of(tokens: Tensor, place: int, *, num_bytes: int) -> Tensor:
    """A byte of each symbol, int64; place 0 is the highest."""
    return (tokens >> (8 * (num_bytes - 1 - place))) & (BYTE - 1)


class _Trunk(nn.Module):
    """Symbols (B, T) to features (B, T, D) of all of them up to each."""

    positions: Tensor

    def __init__(self, layout: TransformerLayout) -> None:
        super().__init__()
        dim = layout.embedding_dim
        self._num_bytes = layout.num_bytes if layout.head == "factorised" else 1
        vocabulary = BYTE if layout.head == "factorised" else 1 << layout.bits
        self.embeddings = nn.ModuleList(
            [_embedding(vocabulary, dim) for _ in range(self._num_bytes)]
        )
        self.layers = nn.ModuleList([_Layer(layout) for _ in range(layout.num_layers)])
        # Not a weight: a checkpoint does not depend on how long its chunks were.
        self.register_buffer("positions", sinusoids(layout.context, dim), persistent=False)
        self._scale = math.sqrt(dim)

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, T) to (B, T, D)."""
        embedded = self._embedded(inputs) * self._scale
        hidden = embedded + self.positions[: inputs.shape[1]]
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden

    def _embedded(self, inputs: Tensor) -> Tensor:
        if self._num_bytes == 1:
            only: Tensor = self.embeddings[0](inputs)
            return only
        parts = [
            embedding(byte_of(inputs, place, num_bytes=self._num_bytes))
            for place, embedding in enumerate(self.embeddings)
        ]
        return torch.stack(parts).sum(0)


class _Layer(nn.Module):
    """Attention and feed-forward network, each with layer norm after its residual connection."""

    def __init__(self, layout: TransformerLayout) -> None:
        super().__init__()
        dim, wide = layout.embedding_dim, layout.embedding_dim * layout.widening_factor
        self._heads, self._size = layout.num_heads, dim // layout.num_heads
        inner = self._heads * self._size
        self.query, self.key, self.value = (_linear(dim, inner, bias=False) for _ in range(3))
        self.out = _linear(inner, dim, bias=False)
        self.attention_norm = nn.LayerNorm(dim)
        self.widen, self.narrow = _linear(dim, wide), _linear(wide, dim)
        self.feed_forward_norm = nn.LayerNorm(dim)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, D) to (B, T, D); no position sees a later one."""
        query, key, value = (
            part(hidden).unflatten(-1, (self._heads, self._size)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )  # (B, heads, T, size)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        attended: Tensor = self.out(seen.transpose(1, 2).flatten(-2))
        middle: Tensor = self.attention_norm(hidden + attended)
        fed: Tensor = self.narrow(functional.gelu(self.widen(middle), approximate="tanh"))
        normed: Tensor = self.feed_forward_norm(middle + fed)
        return normed


class _FullHead(nn.Module):
    """One distribution over all symbols."""

    def __init__(self, layout: TransformerLayout) -> None:
        super().__init__()
        self.logits = _linear(layout.embedding_dim, 1 << layout.bits)

    def forward(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """(N, D) and (N,) to the cost in nats, (N,) float32."""
        return _cost(self.logits(hidden), targets)


class _FactorisedHead(nn.Module):
    """A distribution over the highest byte, then one over each lower byte given those above.

    The chain rule: the costs of the bytes add up to that of the symbol, with 256 numbers for each
    byte in the place of 2^bits.
    """

    def __init__(self, layout: TransformerLayout) -> None:
        super().__init__()
        dim, self._num_bytes = layout.embedding_dim, layout.num_bytes
        self.logits = nn.ModuleList([_linear(dim, BYTE) for _ in range(self._num_bytes)])
        self.mixes = nn.ModuleList([_linear(dim, dim) for _ in range(self._num_bytes - 1)])
        self.above = nn.ModuleList([_embedding(BYTE, dim) for _ in range(self._num_bytes - 1)])
        self._scale = math.sqrt(dim)

    def forward(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """(N, D) and (N,) to the cost in nats, (N,) float32."""
        digits = [
            byte_of(targets, place, num_bytes=self._num_bytes) for place in range(self._num_bytes)
        ]
        costs = [_cost(self.logits[0](hidden), digits[0])]
        for place, (mix, above) in enumerate(zip(self.mixes, self.above, strict=True), start=1):
            known: Tensor = above(digits[place - 1]) * self._scale
            hidden = hidden + functional.gelu(mix(hidden) + known, approximate="tanh")
            costs.append(_cost(self.logits[place](hidden), digits[place]))
        return torch.stack(costs).sum(0)


def _cost(logits: Tensor, targets: Tensor) -> Tensor:
    with float32_island(logits) as (wide,):
        return functional.cross_entropy(wide, targets, reduction="none")


def _linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=bias)
    _truncated_normal(layer.weight, 1 / math.sqrt(inputs))
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def _embedding(count: int, dim: int) -> nn.Embedding:
    table = nn.Embedding(count, dim)
    _truncated_normal(table.weight, 0.02)
    return table


def _truncated_normal(weight: Tensor, deviation: float) -> None:
    nn.init.trunc_normal_(weight, std=deviation, a=-2 * deviation, b=2 * deviation)
