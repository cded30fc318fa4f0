"""The transformer: sizes of the document, values by hand, causality, and logits that stay small."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.lossless_memory import num_weights
from codecctl.engine.networks import transformer
from codecctl.engine.networks.transformer import TransformerLayout, byte_of, shifted, sinusoids

DEFAULT = TransformerLayout(
    bits=8,
    context=64,
    embedding_dim=64,
    num_layers=4,
    num_heads=8,
    widening_factor=4,
    head="full",
)
SMALL = replace(DEFAULT, context=16, embedding_dim=12, num_layers=2, num_heads=3)
EVERY = [
    SMALL,
    replace(SMALL, head="factorised"),
    replace(SMALL, bits=16, embedding_dim=6),
    replace(SMALL, bits=16, head="factorised"),
    replace(SMALL, bits=24, head="factorised"),
    replace(SMALL, num_heads=5),
    replace(SMALL, embedding_dim=7, num_heads=2),
]


def tokens_of(layout: TransformerLayout, *, seed: int = 0, items: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1 << layout.bits, (items, layout.context), generator=generator)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_default_has_the_parameters_of_the_document() -> None:
    assert count(DEFAULT.build()) == 231_936
    assert num_weights(DEFAULT) == 231_936
    assert num_weights(replace(DEFAULT, bits=16)) == 8_653_056


@pytest.mark.parametrize("layout", EVERY, ids=repr)
def test_the_number_of_weights_is_known_before_the_network_is_built(
    layout: TransformerLayout,
) -> None:
    assert count(layout.build()) == num_weights(layout)


@pytest.mark.parametrize("layout", EVERY, ids=repr)
def test_no_symbol_is_predicted_from_itself_or_what_follows(layout: TransformerLayout) -> None:
    network = layout.build().double()
    hidden = network.trunk(shifted(tokens_of(layout)))
    for place in (0, 1, 7, layout.context - 1):
        changed = tokens_of(layout)
        changed[:, place:] = tokens_of(layout, seed=1)[:, place:]
        other = network.trunk(shifted(changed))
        assert torch.equal(other[:, : place + 1], hidden[:, : place + 1])
        if place + 1 < layout.context:
            assert not torch.equal(other[:, place + 1 :], hidden[:, place + 1 :])


@pytest.mark.parametrize("layout", EVERY, ids=repr)
def test_a_head_that_knows_nothing_costs_every_bit_of_a_symbol(layout: TransformerLayout) -> None:
    network = layout.build()
    for name, parameter in network.head.named_parameters():
        if "logits" in name:
            nn.init.zeros_(parameter)
    costs: Tensor = network(tokens_of(layout)) / math.log(2)
    assert torch.allclose(costs, torch.full_like(costs, layout.bits), rtol=1e-6)


def test_the_bytes_of_a_symbol_are_a_distribution_over_all_of_them() -> None:
    layout = replace(SMALL, bits=16, head="factorised")
    head = layout.build().head
    hidden = torch.randn(1, layout.embedding_dim).expand(1 << 16, -1)
    with torch.no_grad():
        costs = head(hidden, torch.arange(1 << 16)).double()
    assert torch.exp(-costs).sum().item() == pytest.approx(1.0, abs=1e-5)


def test_bytes_are_taken_from_the_highest_on() -> None:
    symbol = torch.tensor([0x123456])
    assert [byte_of(symbol, place, num_bytes=3).item() for place in range(3)] == [0x12, 0x34, 0x56]


def test_positions_are_sines_then_cosines_as_the_original_cuts_them() -> None:
    table = sinusoids(5, 6)
    for place in range(5):
        slow = [1e4 ** (-2 * index / 6) for index in range(4)]
        expected = [math.sin(place * f) for f in slow] + [math.cos(place * f) for f in slow[:2]]
        assert table[place].tolist() == pytest.approx(expected, abs=1e-6)
    assert sinusoids(3, 7).shape == (3, 7)


class Formulas:
    """The layers by name, written out with numpy."""

    def __init__(self, network: nn.Module) -> None:
        self._weights = {name: value.numpy() for name, value in network.state_dict().items()}

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        bias = self._weights.get(f"{name}.bias", np.zeros(()))
        product: np.ndarray = x @ self._weights[f"{name}.weight"].T + bias
        return product

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centered = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-5)
        weight, bias = (self._weights[f"{name}.{part}"] for part in ("weight", "bias"))
        normed: np.ndarray = centered / spread * weight + bias
        return normed

    def embedding(self, tokens: list[int]) -> np.ndarray:
        rows: np.ndarray = self._weights["trunk.embeddings.0.weight"][tokens]
        return rows


def test_a_forward_pass_equals_the_formulas_written_out_with_numpy() -> None:
    """Embedding, sinusoids, attention by loops, tanh-GELU and both post-norms, in float64."""
    network = replace(SMALL, context=5).build().double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    by = Formulas(network)
    tokens = tokens_of(replace(SMALL, context=5), items=1)
    x = by.embedding([0, *tokens[0, :-1].tolist()]) * math.sqrt(12)
    x = x + sinusoids(5, 12).double().numpy()
    for layer in ("trunk.layers.0", "trunk.layers.1"):
        query, key, value = (by.linear(f"{layer}.{n}", x) for n in ("query", "key", "value"))
        seen = np.zeros((5, 12))
        for head in range(3):
            of = slice(4 * head, 4 * head + 4)
            for t in range(5):
                weights = np.exp([query[t, of] @ key[s, of] / 2 for s in range(t + 1)])
                seen[t, of] = weights @ value[: t + 1, of] / weights.sum()
        middle = by.norm(f"{layer}.attention_norm", x + by.linear(f"{layer}.out", seen))
        wide = by.linear(f"{layer}.widen", middle)
        curve = 0.5 * wide * (1 + np.tanh(math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)))
        x = by.norm(f"{layer}.feed_forward_norm", middle + by.linear(f"{layer}.narrow", curve))
    logits = by.linear("head.logits", x)
    costs = np.log(np.exp(logits).sum(-1)) - logits[np.arange(5), tokens[0].numpy()]
    assert network(tokens)[0].tolist() == pytest.approx(costs.tolist(), rel=1e-12)


@pytest.mark.parametrize("layout", EVERY, ids=repr)
def test_logits_in_parts_give_the_same_costs_and_gradients(
    layout: TransformerLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, tokens = layout.build().double(), tokens_of(layout)

    def run() -> tuple[Tensor, list[Tensor]]:
        network.zero_grad()
        costs: Tensor = network(tokens)
        torch.autograd.backward(costs.mean())
        return costs.detach(), [p.grad.clone() for p in network.parameters() if p.grad is not None]

    whole, gradients = run()
    widest = 256 if layout.head == "factorised" else 1 << layout.bits
    monkeypatch.setattr(transformer, "LOGITS_AT_ONCE", 7 * widest)  # 48 rows are 7 parts
    parts, of_parts = run()
    assert torch.allclose(parts, whole, rtol=1e-12)
    assert len(gradients) == len(of_parts) == len(list(network.parameters()))
    for found, expected in zip(of_parts, gradients, strict=True):
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-15)


def test_half_precision_changes_costs_by_its_rounding_and_no_more() -> None:
    network, tokens = SMALL.build(), tokens_of(SMALL)
    with torch.no_grad():
        full = network(tokens)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(tokens)
    assert half.dtype == torch.float32
    assert torch.allclose(half, full, rtol=0.02) and not torch.equal(half, full)


def test_weights_fit_networks_of_another_context() -> None:
    short, long = SMALL.build(), replace(SMALL, context=40).build()
    long.load_state_dict(short.state_dict())
    tokens = tokens_of(SMALL)
    assert torch.equal(short(tokens), long(tokens))
