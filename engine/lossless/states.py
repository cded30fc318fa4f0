"""What an exact model remembers of the chunks that it is in the middle of: keys and values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from codecctl.engine.lossless.fixed_point import activation
from codecctl.engine.lossless.steps import step

if TYPE_CHECKING:
    from codecctl.engine.lossless.exact import ExactTransformer


class State(ABC):
    """Of chunks side by side, all at the same place.

    Args:
        model: That sees them.
    """

    def __init__(self, model: ExactTransformer) -> None:
        layout = model.layout
        size = layout.embedding_dim // layout.num_heads
        self._model = model
        self._split = (layout.num_heads, size)
        self._place = 0

    @abstractmethod
    def features(self, previous: Tensor) -> Tensor:
        """Features (B, D) that the next symbol is predicted from.

        Args:
            previous: (B,) int64, the symbols before it; 0 at the start.
        """


class CompiledState(State):
    """In arrays, one chunk after the other, so that what it needs stays in the cache.

    Args:
        model: That sees the chunks.
        items: How many (B).
    """

    def __init__(self, model: ExactTransformer, items: int) -> None:
        super().__init__(model)
        shape = (model.layout.num_layers, items, *self._split, model.layout.context)
        self._trunk = model.trunk()
        self._keys = np.empty(shape, np.float32)
        self._values = np.empty(shape, np.float32)

    def features(self, previous: Tensor) -> Tensor:
        """As `State`."""
        hidden = self._model.embedded(previous, self._place)
        step(self._trunk, hidden.numpy(), self._keys, self._values, self._place)
        self._place += 1
        return hidden


class TensorState(State):
    """In tensors, all chunks in one operation; arguments as above."""

    def __init__(self, model: ExactTransformer, items: int) -> None:
        super().__init__(model)
        heads, size = self._split
        shape = (model.layout.num_layers, items, heads, model.layout.context, size)
        self._keys = torch.empty(shape, dtype=torch.float64)
        self._values = torch.empty(shape, dtype=torch.float64)

    def features(self, previous: Tensor) -> Tensor:
        """As `State`."""
        model, place = self._model, self._place
        hidden = model.embedded(previous, place)
        for index in range(model.layout.num_layers):
            name = f"trunk.layers.{index}"
            query, key, value = (
                model.linear(f"{name}.{part}", hidden).reshape(len(hidden), *self._split)
                for part in ("query", "key", "value")
            )  # (B, heads, size)
            self._keys[index, :, :, place] = key
            self._values[index, :, :, place] = value
            seen = model.attended(
                query[:, :, None],
                self._keys[index, :, :, : place + 1],
                self._values[index, :, :, : place + 1],
            )
            attended = model.linear(f"{name}.out", seen.flatten(1))
            middle = model.normed(f"{name}.attention_norm", activation(hidden + attended))
            wide = model.gelu(model.linear(f"{name}.widen", middle))
            fed = model.linear(f"{name}.narrow", wide)
            hidden = model.normed(f"{name}.feed_forward_norm", activation(middle + fed))
        self._place += 1
        return hidden


def state_bytes(model: ExactTransformer) -> int:
    """Memory of the state of one chunk."""
    layout = model.layout
    inner = layout.num_heads * (layout.embedding_dim // layout.num_heads)
    return 2 * (4 if model.compiles else 8) * layout.num_layers * layout.context * inner
