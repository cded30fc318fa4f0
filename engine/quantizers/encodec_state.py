"""Codebooks under the names of other implementations, and back.

encodec       quantizer.vq.layers.K._codebook.{inited,cluster_size,embed,embed_avg}
transformers  quantizer.layers.K.codebook.{inited,cluster_size,embed,embed_avg}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor

_BUFFERS = MappingProxyType({"codebooks": "embed", "sums": "embed_avg", "counts": "cluster_size"})
PACKAGE = "quantizer.vq.layers.{stage}._codebook."
TRANSFORMERS = "quantizer.layers.{stage}.codebook."


def quantizer_state(
    state: Mapping[str, Tensor], *, num_codebooks: int, prefix: str = PACKAGE
) -> dict[str, Tensor]:
    """The first codebooks of an `EncodecModel`'s state dict, for a `ResidualVectorQuantizer`.

    Args:
        state: Of the whole model.
        num_codebooks: How many to take; the 24 kHz model has 32.
        prefix: Of the names of a codebook: `PACKAGE` or `TRANSFORMERS`.
    """
    return {
        ours: torch.stack(
            [state[prefix.format(stage=stage) + theirs] for stage in range(num_codebooks)]
        )
        for ours, theirs in _BUFFERS.items()
    }


def count_codebooks(state: Mapping[str, Tensor], *, prefix: str) -> int:
    """How many codebooks, counted from 0, a state dict holds under names of this kind."""
    stage = 0
    while prefix.format(stage=stage) + "embed" in state:
        stage += 1
    return stage


def named_codebooks(
    codebooks: Tensor, sums: Tensor, counts: Tensor, *, prefix: str
) -> dict[str, Tensor]:
    """Codebooks (K, N, D) with their averages (K, N, D) and (K, N), under other names.

    Args:
        codebooks: The entries.
        sums: Averages of what chose them.
        counts: Averages of how often.
        prefix: `PACKAGE` or `TRANSFORMERS`.
    """
    named = {}
    for stage, parts in enumerate(zip(codebooks, sums, counts, strict=True)):
        of_stage = prefix.format(stage=stage)
        named[f"{of_stage}inited"] = torch.ones(1)
        for theirs, part in zip(_BUFFERS.values(), parts, strict=True):
            named[of_stage + theirs] = part
    return named


def is_codebook(name: str, *, prefix: str) -> bool:
    """Whether a name is of a codebook."""
    before, after = prefix.split("{stage}")
    pattern = rf"{re.escape(before)}\d+{re.escape(after)}(inited|{'|'.join(_BUFFERS.values())})"
    return re.fullmatch(pattern, name) is not None
