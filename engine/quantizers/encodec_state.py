"""Codebooks of the `encodec` package under the names that they have here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

_BUFFERS = MappingProxyType({"codebooks": "embed", "sums": "embed_avg", "counts": "cluster_size"})


def quantizer_state(state: Mapping[str, Tensor], *, num_codebooks: int) -> dict[str, Tensor]:
    """The first codebooks of an `EncodecModel`'s state dict, for a `ResidualVectorQuantizer`.

    Args:
        state: Of the whole model, names beginning with `quantizer.vq.layers.`.
        num_codebooks: How many to take; the package's 24 kHz model has 32.
    """
    return {
        ours: torch.stack(
            [
                state[f"quantizer.vq.layers.{stage}._codebook.{theirs}"]
                for stage in range(num_codebooks)
            ]
        )
        for ours, theirs in _BUFFERS.items()
    }
