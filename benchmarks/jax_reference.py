"""A transformer in JAX, operation by operation: how the coder of document 002 asks its network.

The sizes and weights of ours (`engine.networks.transformer`, one distribution over all symbols),
written again with `jax.numpy` and without `jit`: each operation goes to XLA alone, which compiles
it for every length that it has not seen. One chunk at a time, the whole prefix for each symbol.
JAX is needed by this benchmark alone: `pip install jax jaxlib`.
"""

from __future__ import annotations

import importlib
import math
import os
from typing import Any

import numpy as np
import torch

from codecctl.engine.networks.transformer import Transformer, shifted

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_EPSILON = 1e-5
_MOST_DIFFERENCE = 1e-4


class JaxTransformer:
    """The network in float32 on one core.

    Args:
        network: Whose weights it takes; with the full head.

    Raises:
        SystemExit: JAX is not installed.
    """

    def __init__(self, network: Transformer) -> None:
        assert network.layout.head == "full", network.layout.head
        os.environ.setdefault("XLA_FLAGS", ONE_THREAD)
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        try:
            # By name: type checks need no package that only this benchmark has.
            self._jax: Any = importlib.import_module("jax")
        except ImportError as error:
            raise SystemExit("lossless_speed: needed jax: pip install jax jaxlib") from error
        self._num: Any = self._jax.numpy
        self._layout = network.layout
        arrays = {**network.state_dict(), "trunk.positions": network.trunk.positions}
        self._weights = {name: self._num.asarray(each.numpy()) for name, each in arrays.items()}

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        """Logarithms of the probabilities of each symbol and of the one behind, (T + 1, V).

        Args:
            tokens: (T,) a prefix; the last row is for the symbol that it lacks.
        """
        num, weights = self._num, self._weights
        inputs = num.concatenate([num.zeros(1, num.int32), num.asarray(tokens, num.int32)])
        hidden = weights["trunk.embeddings.0.weight"][inputs] * math.sqrt(
            self._layout.embedding_dim
        )
        hidden = hidden + weights["trunk.positions"][: len(inputs)]
        for index in range(self._layout.num_layers):
            hidden = self._layer(f"trunk.layers.{index}", hidden)
        scores = self._linear("head.logits", hidden)
        found: np.ndarray = np.asarray(self._jax.nn.log_softmax(scores, axis=-1))
        return found

    def require_same(self, network: Transformer, tokens: np.ndarray) -> float:
        """The largest difference from what torch computes for a chunk (T,).

        Raises:
            SystemExit: It is too large for the same network.
        """
        with torch.no_grad():
            # The symbol behind the prefix is any: no row depends on it.
            whole = torch.from_numpy(np.append(tokens, 0))[None]
            features = network.trunk(shifted(whole))
            expected = torch.log_softmax(network.get_submodule("head.logits")(features[0]), -1)
        difference = float(np.abs(self.logits(tokens) - expected.numpy()).max())
        if difference > _MOST_DIFFERENCE:
            raise SystemExit(f"lossless_speed: JAX differs from torch by {difference}")
        return difference

    def _layer(self, name: str, hidden: Any) -> Any:
        num, heads = self._num, self._layout.num_heads
        length = len(hidden)
        query, key, value = (
            self._linear(f"{name}.{part}", hidden).reshape(length, heads, -1)
            for part in ("query", "key", "value")
        )  # (T, heads, size)
        scores = num.einsum("thd,shd->hts", query, key) / math.sqrt(query.shape[-1])
        seen = num.tril(num.ones((length, length), dtype=bool))
        shares = self._jax.nn.softmax(num.where(seen, scores, -1e30), axis=-1)
        mixed = num.einsum("hts,shd->thd", shares, value).reshape(length, -1)
        middle = self._normed(f"{name}.attention_norm", hidden + self._linear(f"{name}.out", mixed))
        wide = self._jax.nn.gelu(self._linear(f"{name}.widen", middle), approximate=True)
        fed = self._linear(f"{name}.narrow", wide)
        return self._normed(f"{name}.feed_forward_norm", middle + fed)

    def _linear(self, name: str, inputs: Any) -> Any:
        product = inputs @ self._weights[f"{name}.weight"].T
        bias = self._weights.get(f"{name}.bias")
        return product if bias is None else product + bias

    def _normed(self, name: str, inputs: Any) -> Any:
        centered = inputs - inputs.mean(axis=-1, keepdims=True)
        variance = (centered * centered).mean(axis=-1, keepdims=True)
        scaled = centered / self._num.sqrt(variance + _EPSILON) * self._weights[f"{name}.weight"]
        return scaled + self._weights[f"{name}.bias"]
