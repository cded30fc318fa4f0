"""How much memory a training of a language model takes, told before it is taken."""

from __future__ import annotations

import torch

from codecctl.engine.networks.transformer import BYTE, LOGITS_AT_ONCE, TransformerLayout
from codecctl.errors import CodecctlError

_FLOAT = 4
_OF_LOGITS = 3
"""Logits, their softmax and their gradient are there at once."""
_OF_WEIGHTS = 4
"""A weight, its gradient, and Adam's two averages."""


def training_bytes(layout: TransformerLayout, *, items: int) -> int:
    """Bytes of weights, optimizer, activations and logits of an update.

    Of each layer and symbol, the backward pass needs the input of every product, of GELU and of
    the norms: 4 D + 4 I + 2 w D numbers, where I = heads * floor(D / heads); of attention itself,
    fused, one number a head. What a process grows by was measured 4 to 20 % above this.

    Args:
        layout: Sizes.
        items: Chunks that go through the network together.
    """
    dim, heads = layout.embedding_dim, layout.num_heads
    inner = heads * (dim // heads)
    of_layer = 4 * dim + 4 * inner + 2 * layout.widening_factor * dim + heads
    symbols = items * layout.context
    activations = symbols * (layout.num_layers * of_layer + 4 * dim)
    widest = BYTE if layout.head == "factorised" else 1 << layout.bits
    logits = _OF_LOGITS * min(symbols * widest, max(LOGITS_AT_ONCE, widest))
    return _FLOAT * (_OF_WEIGHTS * num_weights(layout) + activations + logits)


def num_weights(layout: TransformerLayout) -> int:
    """Numbers that training changes."""
    dim, heads = layout.embedding_dim, layout.num_heads
    inner, wide = heads * (dim // heads), layout.widening_factor * dim
    of_layer = 4 * dim * inner + 2 * dim * wide + wide + dim + 4 * dim
    if layout.head == "full":
        outside = (1 << layout.bits) * (2 * dim + 1)
    else:
        lower = layout.num_bytes - 1
        outside = layout.num_bytes * BYTE * (2 * dim + 1) + lower * (dim * dim + dim + BYTE * dim)
    return layout.num_layers * of_layer + outside


def refuse_too_large(
    layout: TransformerLayout, *, items: int, batch_size: int, device: torch.device
) -> None:
    """Refuse what does not fit before hours of work end in an error of the allocator.

    Raises:
        CodecctlError: The memory is too small; names it, what is needed and what would fit.
    """
    needed, free = training_bytes(layout, items=items), free_bytes(device)
    if needed <= free:
        return
    fitting = [
        parts
        for parts in range(1, batch_size + 1)
        if batch_size % parts == 0
        and training_bytes(layout, items=max(1, batch_size // parts)) <= free
    ]
    fix = (
        f"set trainer.accumulate_grad_batches={fitting[0]}"
        if fitting
        else "lower data.chunk_size, model.num_layers or model.embedding_dim"
    )
    raise CodecctlError(
        f"memory of {device}: found {free / 1e9:.1f} GB free, an update of {items} chunks of "
        f"{layout.context} symbols needs about {needed / 1e9:.1f} GB; {fix}"
    )


def free_bytes(device: torch.device) -> int:
    """Memory that is free on a device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)
