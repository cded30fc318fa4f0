"""Each codebook codes what the codebooks before it left (Zeghidour et al. 2021, 2107.03312)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from codecctl.engine.quantizers.base import (
    Quantized,
    as_rows,
    as_sequence,
    by_item,
    in_use,
    over_stages,
    straight_through,
)
from codecctl.engine.quantizers.clustering import nearest


class Residuals(NamedTuple):
    """Vectors coded by all codebooks in turn."""

    inputs: Tensor
    """What each codebook coded (K, V, D), with a gradient to the vectors."""
    entries: Tensor
    """What it chose (K, V, D), with a gradient to the codebooks if they take one."""
    codes: Tensor
    """Where it found it (K, V), int64."""


def code_residuals(vectors: Tensor, codebooks: Tensor) -> Residuals:
    """Code vectors (V, D) with codebooks (K, N, D).

    The residual is taken with a detached entry, so that the commitment of every codebook reaches
    the input.
    """
    inputs, entries, codes = [], [], []
    residual = vectors
    for codebook in codebooks:
        index = nearest(residual.detach(), codebook.detach())
        entry = codebook.index_select(0, index)
        inputs.append(residual)
        entries.append(entry)
        codes.append(index)
        residual = residual - entry.detach()
    return Residuals(torch.stack(inputs), torch.stack(entries), torch.stack(codes))


def quantized(
    coded: Residuals,
    vectors: Tensor,
    *,
    batch: int,
    depths: Tensor | None,
    bits_per_frame: float,
) -> Quantized:
    """The result of a forward pass; one outer straight-through keeps the gradient at the identity.

    Args:
        coded: From `code_residuals`.
        vectors: (B * F, D), what was coded.
        batch: B.
        depths: Codebooks in use for each item (B,), or all.
        bits_per_frame: Of all codebooks.
    """
    entries = coded.entries.detach()
    used = in_use(depths, num_codebooks=len(entries), batch=batch, like=vectors)  # (K, B)
    total = torch.zeros_like(vectors)
    for entry, share in zip(entries, used, strict=True):
        # Without depths, no product: the sum stays what it is without this option.
        total = total + (entry if depths is None else entry * _by_row(share, entry)[:, None])
    commitments = torch.stack(
        [by_item(part.square(), batch) for part in coded.inputs - entries]
    )  # (K, B)
    attractions = torch.stack(
        [by_item(part.square(), batch) for part in coded.inputs.detach() - coded.entries]
    )
    learned = coded.entries.requires_grad
    stages = zip(entries, coded.inputs, strict=True)
    return Quantized(
        latent=as_sequence(straight_through(total, vectors), batch),
        codes=coded.codes.view(len(entries), batch, -1).transpose(0, 1),
        stages=torch.stack([as_sequence(straight_through(*pair), batch) for pair in stages]),
        commitments=commitments * used,
        commitment=over_stages(commitments, used),
        attraction=over_stages(attractions, used) if learned else vectors.new_zeros(batch),
        bits_per_frame=bits_per_frame,
    )


def encode(latent: Tensor, codebooks: Tensor) -> Tensor:
    """Codes (B, K, F) of a latent sequence (B, D, F)."""
    with torch.autocast(latent.device.type, enabled=False):
        vectors = as_rows(latent.to(codebooks.dtype))
        codes = code_residuals(vectors, codebooks).codes
        return codes.view(len(codebooks), len(latent), -1).transpose(0, 1)


def decode(codes: Tensor, codebooks: Tensor) -> Tensor:
    """Latent sequence (B, D, F) of codes (B, k, F); the first k <= K codebooks suffice."""
    batch, stages, frames = codes.shape
    total = codebooks.new_zeros(batch * frames, codebooks.shape[-1])
    for codebook, index in zip(codebooks[:stages], codes.unbind(1), strict=True):
        total = total + codebook.index_select(0, index.flatten())
    return as_sequence(total, batch)


def _by_row(share: Tensor, rows: Tensor) -> Tensor:
    """A number for each item (B,) as one for each of its frames (B * F,)."""
    return share.repeat_interleave(len(rows) // len(share))
