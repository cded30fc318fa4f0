"""The memory of a training is estimated, and refused where there is not so much."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from codecctl.engine import lossless_memory
from codecctl.engine.lossless_memory import free_bytes, refuse_too_large, training_bytes
from codecctl.engine.networks.transformer import TransformerLayout
from codecctl.errors import CodecctlError

LAYOUT = TransformerLayout(
    bits=16,
    context=2048,
    embedding_dim=64,
    num_layers=4,
    num_heads=8,
    widening_factor=4,
    head="full",
)


def test_the_logits_of_a_whole_batch_are_not_in_the_estimate() -> None:
    logits = 128 * 2048 * 65536 * 4
    assert training_bytes(LAYOUT, items=128) < logits / 10
    factorised = replace(LAYOUT, head="factorised")
    assert training_bytes(factorised, items=128) < training_bytes(LAYOUT, items=128)


def test_every_chunk_adds_as_much_and_as_much_as_its_length() -> None:
    some = [training_bytes(LAYOUT, items=items) for items in (8, 16, 24)]
    assert some[2] - some[1] == some[1] - some[0] > 0  # beside weights and logits
    longer = replace(LAYOUT, context=4096)
    assert training_bytes(longer, items=8) == training_bytes(LAYOUT, items=16)


def test_what_does_not_fit_is_refused_with_the_parts_that_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu = torch.device("cpu")
    assert free_bytes(cpu) > 1 << 20
    enough = training_bytes(LAYOUT, items=32)
    monkeypatch.setattr(lossless_memory, "free_bytes", lambda _device: enough)
    refuse_too_large(LAYOUT, items=32, batch_size=128, device=cpu)
    with pytest.raises(CodecctlError, match=r"^memory of cpu: found .* GB free, an update of 128"):
        refuse_too_large(LAYOUT, items=128, batch_size=128, device=cpu)
    with pytest.raises(CodecctlError, match=r"set trainer\.accumulate_grad_batches=4$"):
        refuse_too_large(LAYOUT, items=64, batch_size=128, device=cpu)
    monkeypatch.setattr(lossless_memory, "free_bytes", lambda _device: 1000)
    with pytest.raises(CodecctlError, match=r"lower data\.chunk_size, model\.num_layers"):
        refuse_too_large(LAYOUT, items=64, batch_size=128, device=cpu)
