"""A trained transformer in exact arithmetic: the same frequencies on every machine."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from codecctl.engine.lossless.compiled import COMPILES
from codecctl.engine.lossless.fixed_point import (
    LARGEST_ACTIVATION,
    MOST_TERMS,
    SOFT_STEP_BITS,
    VARIANCE_BITS,
    activation,
    snap,
    tables,
    weight,
)
from codecctl.engine.lossless.loops import Ends, Weights
from codecctl.engine.lossless.states import CompiledState, State, TensorState, state_bytes
from codecctl.engine.lossless.steps import Trunk, counts
from codecctl.engine.networks.transformer import BYTE, Transformer, byte_of
from codecctl.errors import CodecctlError

FREQUENCY_BITS = 24
"""Frequencies of a distribution add up to at most 2^24."""
_IN_LOOPS = 4
_LOOP_BYTES = 4 << 20
"""Of the states that loops go through for each symbol: more leave the cache in between."""
_IN_TENSORS = 64
_SCORES_AT_ONCE = 1 << 15
_MOST_CONTEXT = 1 << 14
"""Of a chunk: so many weighted values of attention add up exactly."""


class ExactTransformer:
    """A transformer with its weights and activations rounded to fixed points.

    Every sum is exact (`fixed_point`), so that chunks coded one by one or many at once, with any
    number of threads, have the same frequencies. Keys and values of what came before are kept, so
    that a symbol costs one step.

    Args:
        network: Trained, in float.
        compiles: Take compiled loops where there are such; they give the same numbers.

    Attributes:
        compiles: Whether it does.

    Raises:
        CodecctlError: The network is too large for exact sums, or this build of torch or Python
            does not compute them.
    """

    def __init__(self, network: Transformer, *, compiles: bool = COMPILES) -> None:
        layout = network.layout
        self.layout = layout
        self.compiles = compiles
        widest = layout.embedding_dim * max(1, layout.widening_factor)
        for what, found, most in (
            ("model.embedding_dim * widening_factor", widest, MOST_TERMS),
            ("data.chunk_size", layout.context, _MOST_CONTEXT),
        ):
            if found > most:
                raise CodecctlError(
                    f"{what}: found {found}, needed at most {most} for sums that are exact"
                )
        self._tables = tables()
        self._weights = {name: weight(value) for name, value in network.state_dict().items()}
        self._positions = activation(network.trunk.positions.detach().cpu().double())
        self._scale = math.sqrt(layout.embedding_dim)
        self._heads = {
            name: (_narrow(values), _narrow(self._weights[f"{name}.bias"]))
            for name, values in (
                (key.removesuffix(".weight"), value) for key, value in self._weights.items()
            )
            if name.startswith("head.logits") and len(values) == BYTE and values.dim() == 2
        }
        _require_exact_sums()

    @property
    def num_places(self) -> int:
        """Digits that a symbol is coded in: 1, or its bytes."""
        return self.layout.num_bytes if self.layout.head == "factorised" else 1

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the layout and of all rounded numbers that coding depends on."""
        digest = hashlib.sha256(repr(self.layout).encode())
        for name in sorted(self._weights):
            digest.update(name.encode())
            digest.update(_bytes(self._weights[name]))
        digest.update(_bytes(self._positions))
        return digest.hexdigest()

    @property
    def side_by_side(self) -> int:
        """Chunks in one state at best: few for loops, whose states fit into the cache."""
        if not self.compiles:
            return _IN_TENSORS
        return max(1, min(_IN_LOOPS, _LOOP_BYTES // state_bytes(self)))

    def start(self, items: int) -> State:
        """A state before the first symbol of so many chunks."""
        return CompiledState(self, items) if self.compiles else TensorState(self, items)

    def trunk(self) -> Trunk:
        """The weights of all layers as compiled steps take them."""
        layers = [f"trunk.layers.{index}" for index in range(self.layout.num_layers)]

        def stacked(*names: str) -> np.ndarray:
            weights = [[self._weights[f"{layer}.{name}"] for name in names] for layer in layers]
            return _narrow(torch.stack([torch.cat(each) for each in weights]))

        norms = [
            f"{norm}.{part}"
            for norm in ("attention_norm", "feed_forward_norm")
            for part in ("weight", "bias")
        ]
        dim = self.layout.embedding_dim
        return Trunk(
            inward=stacked("query.weight", "key.weight", "value.weight"),
            outward=stacked("out.weight"),
            widen=stacked("widen.weight"),
            widen_bias=stacked("widen.bias"),
            narrow=stacked("narrow.weight"),
            narrow_bias=stacked("narrow.bias"),
            norms=stacked(*norms).reshape(-1, 2, 2, dim),
            soft=_narrow(self._tables.soft),
            gelu=self._tables.gelu.numpy(),
        )

    def weights(self) -> Weights:
        """All weights as compiled loops take them."""
        layout, count = self.layout, self.num_places
        full = layout.head == "full"
        heads = ["head.logits"] if full else [f"head.logits.{place}" for place in range(count)]
        dim, vocabulary = layout.embedding_dim, len(self._weights[f"{heads[0]}.weight"])

        def stacked(names: Sequence[str], *shape: int) -> np.ndarray:
            each = [self._weights[name] for name in names]
            return _narrow(torch.stack(each) if each else torch.empty(0, *shape))

        def below(part: str, *shape: int) -> np.ndarray:
            return stacked([f"head.{part.format(place)}" for place in range(count - 1)], *shape)

        ends = Ends(
            embeddings=stacked([f"trunk.embeddings.{place}.weight" for place in range(count)]),
            positions=_narrow(self._positions),
            mixes=below("mixes.{}.weight", dim, dim),
            mix_biases=below("mixes.{}.bias", dim),
            above=below("above.{}.weight", vocabulary, dim),
            logits=stacked([f"{head}.weight" for head in heads]),
            biases=stacked([f"{head}.bias" for head in heads]),
            sharp=self._tables.sharp.numpy(),
            scale=self._scale,
            room=_room(vocabulary),
        )
        return Weights(ends, self.trunk(), layout.num_heads)

    def frequencies(self, features: Tensor, digits: Sequence[Tensor]) -> Tensor:
        """How often each value of the next digit is expected.

        Args:
            features: (B, D) of `State.features`.
            digits: (B,) each: those of the symbol that are known, from the highest.

        Returns:
            (B, V) float32 whole numbers of 1 and more.
        """
        place = len(digits)
        if self.layout.head == "full":
            return self._counts("head.logits", features)
        for index, digit in enumerate(digits):
            known = activation(self._weights[f"head.above.{index}.weight"][digit] * self._scale)
            mixed = self.linear(f"head.mixes.{index}", features)
            features = activation(features + self._tables.gelu_of(activation(mixed + known)))
        return self._counts(f"head.logits.{place}", features)

    def embedded(self, symbols: Tensor, place: int) -> Tensor:
        """Embeddings of symbols (B,) at a place of the chunk, (B, D)."""
        count = self.num_places
        parts = [
            self._weights[f"trunk.embeddings.{index}.weight"][
                byte_of(symbols, index, num_bytes=count) if count > 1 else symbols
            ]
            for index in range(count)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return activation(total * self._scale + self._positions[place])

    def linear(self, name: str, inputs: Tensor) -> Tensor:
        """A layer of activations, an activation."""
        return activation(self._product(name, inputs))

    def normed(self, name: str, inputs: Tensor) -> Tensor:
        """Layer norm of activations (B, D), an activation."""
        width = inputs.shape[-1]
        centered = inputs - inputs.sum(-1, keepdim=True) / width
        coarse = snap(centered.clamp(-LARGEST_ACTIVATION, LARGEST_ACTIVATION), VARIANCE_BITS)
        variance = (coarse * coarse).sum(-1, keepdim=True) / width
        scaled = centered / torch.sqrt(variance + 1e-5) * self._weights[f"{name}.weight"]
        return activation(scaled + self._weights[f"{name}.bias"])

    def gelu(self, inputs: Tensor) -> Tensor:
        """GELU of activations."""
        return self._tables.gelu_of(inputs)

    def attended(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attention of one position: (B, h, 1, S) on (B, h, t, S) twice to (B, h, 1, S)."""
        # Scaled before the product: what it gives are steps of the table, of every key at once.
        scaled = snap(query * (float(1 << SOFT_STEP_BITS) / math.sqrt(query.shape[-1])))
        # A few chunks at a time: their scores stay in the cache, and in memory that is there.
        items = max(1, _SCORES_AT_ONCE // (keys.shape[1] * keys.shape[2]))
        parts = []
        for first in range(0, len(query), items):
            part = slice(first, first + items)
            scores = scaled[part] @ keys[part].transpose(-1, -2)
            shares = self._tables.soft_exp(scores.amax(-1, keepdim=True) - scores)
            parts.append((shares @ values[part]) / shares.sum(-1, keepdim=True))
        return activation(torch.cat(parts))

    def _product(self, name: str, inputs: Tensor) -> Tensor:
        product = inputs @ self._weights[f"{name}.weight"].T
        bias = self._weights.get(f"{name}.bias")
        return product if bias is None else product + bias

    def _counts(self, name: str, features: Tensor) -> Tensor:
        """Frequencies (B, V) of the logits of a layer."""
        vocabulary = len(self._weights[f"{name}.weight"])
        room = _room(vocabulary)
        sharp = self._tables.sharp
        weights = self._heads.get(name)
        if self.compiles and weights is not None:
            return torch.from_numpy(counts(features.numpy(), *weights, sharp.numpy(), room))
        logits = self._product(name, features)
        shares = self._tables.sharp_exp(logits.amax(-1, keepdim=True) - logits)
        return (torch.floor(shares / shares.sum(-1, keepdim=True) * room) + 1.0).float()


def _room(vocabulary: int) -> float:
    """What frequencies add up to, beside 1 for each."""
    return float((1 << FREQUENCY_BITS) - vocabulary)


def _narrow(values: Tensor) -> np.ndarray:
    """Numbers of at most 24 bits as float32, which changes none."""
    found: np.ndarray = values.float().contiguous().numpy()
    return found


def _bytes(values: Tensor) -> bytes:
    return values.contiguous().numpy().astype("<f8").tobytes()


def _require_exact_sums() -> None:
    """Compare a product of matrices with whole numbers of any length."""
    left = [
        [(7919 * (i + 3 * j) ** 2) % (1 << 20) - (1 << 19) for j in range(64)] for i in range(3)
    ]
    right = [[(104729 * (i * 5 + j)) % (1 << 19) - (1 << 18) for j in range(5)] for i in range(64)]
    exact = [[sum(row[k] * right[k][j] for k in range(64)) for j in range(5)] for row in left]
    found = torch.tensor(left, dtype=torch.float64) @ torch.tensor(right, dtype=torch.float64)
    if found.long().tolist() != exact:
        raise CodecctlError(
            "lossless coder: this build of torch does not add whole numbers of float64 exactly; "
            "use the CPU build that the project pins"
        )
