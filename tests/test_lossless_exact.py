"""Exact arithmetic: tables, sums that no order changes, and what rounding costs in bits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.engine.lossless import fixed_point
from codecctl.engine.lossless.exact import FREQUENCY_BITS, ExactTransformer
from codecctl.engine.lossless.fixed_point import activation, snap, tables, weight
from codecctl.engine.lossless.states import state_bytes
from codecctl.errors import CodecctlError

from .lossless_models import exact, symbols, trained

MODELS = [(8, "full"), (16, "factorised"), (24, "factorised")]


def frequencies(model: ExactTransformer, tokens: np.ndarray) -> list[Tensor]:
    """Of every digit of chunks (B, T), one (B, V) after the other."""
    state = model.start(len(tokens))
    previous = torch.zeros(len(tokens), dtype=torch.int64)
    rows = []
    for step in range(tokens.shape[1]):
        features = state.features(previous)
        previous = torch.from_numpy(tokens[:, step])
        digits: list[Tensor] = []
        for place in range(model.num_places):
            rows.append(model.frequencies(features, digits))
            digits.append((previous >> (8 * (model.num_places - 1 - place))) & 255)
    return rows


def test_numbers_are_rounded_to_multiples_with_ties_to_even() -> None:
    values = torch.tensor([0.5, 1.5, -0.5, 2.4, 1e9], dtype=torch.float64)
    assert snap(values, 0).tolist() == [0, 2, 0, 2, 1e9]
    assert activation(torch.tensor([100.0, -100.0, 3 * 2**-15], dtype=torch.float64)).tolist() == [
        64.0,
        -64.0,
        2 * 2**-14,
    ]
    assert weight(torch.tensor([9.0, 2**-17])).tolist() == [8.0, 0.0]


def test_tables_are_the_functions_within_half_a_step() -> None:
    found = tables()
    points = torch.linspace(0, 30, 5000, dtype=torch.float64)
    assert (found.soft_exp(points * 2**8) - torch.exp(-points)).abs().max() < 2**-8 + 2**-16
    assert (found.sharp_exp(points) - torch.exp(-points)).abs().max() < 2**-13 + 2**-32
    assert found.sharp_exp(points)[-1] == 0 and found.soft_exp(points)[0] == 1
    values = activation(torch.linspace(-20, 20, 9999, dtype=torch.float64))
    expected = torch.nn.functional.gelu(values, approximate="tanh")
    assert (found.gelu_of(values) - expected).abs().max() < 2**-10


def test_a_machine_with_other_tables_or_sums_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixed_point, "TABLES_CRC", 1)
    with pytest.raises(CodecctlError, match=r"found tables 0x.*, needed 0x00000001"):
        ExactTransformer(trained(8))
    monkeypatch.undo()
    plain = torch.tensor
    monkeypatch.setattr(torch, "tensor", lambda rows, dtype: plain(rows, dtype=torch.float32))
    with pytest.raises(CodecctlError, match="does not add whole numbers of float64 exactly"):
        ExactTransformer(trained(8))


@pytest.mark.parametrize(("bits", "head"), MODELS)
def test_frequencies_are_whole_positive_and_add_up_to_what_the_coder_takes(
    bits: int, head: str
) -> None:
    for row in frequencies(exact(bits, head), symbols(bits, items=2, length=9)):
        assert torch.equal(row, row.floor()) and row.min() >= 1
        assert row.double().sum(-1).max() <= 1 << FREQUENCY_BITS


@pytest.mark.parametrize(("bits", "head"), MODELS)
def test_neither_the_number_of_chunks_nor_of_threads_changes_a_frequency(
    bits: int, head: str
) -> None:
    model, tokens = exact(bits, head), symbols(bits, items=7, length=20)
    together = frequencies(model, tokens)
    for items in ([3], [6, 3], [0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3]):
        apart = frequencies(model, tokens[items])
        assert all(torch.equal(a, t[items]) for a, t in zip(apart, together, strict=True))
    torch.set_num_threads(2)
    assert all(map(torch.equal, frequencies(model, tokens), together))


@pytest.mark.parametrize(("bits", "head"), MODELS)
def test_rounding_costs_less_than_a_hundredth_of_the_bits(bits: int, head: str) -> None:
    model, tokens = exact(bits, head), symbols(bits, items=8, length=32, seed=5)
    with torch.no_grad():
        of_float = float(trained(bits, head)(torch.from_numpy(tokens)).double().sum())
    total = 0.0
    rows = iter(frequencies(model, tokens))
    for step in range(32):
        for place in range(model.num_places):
            digit = (tokens[:, step] >> (8 * (model.num_places - 1 - place))) & 255
            row = next(rows).double()
            total -= float(torch.log(row[range(8), digit] / row.sum(-1)).sum())
    assert total == pytest.approx(of_float, rel=0.01)


def test_the_fingerprint_follows_weights_and_layout() -> None:
    network = trained(8)
    other = replace(network.layout, context=33).build()
    other.load_state_dict(network.state_dict())
    prints = {ExactTransformer(network).fingerprint, ExactTransformer(other).fingerprint}
    with torch.no_grad():
        other.head.logits.bias[0] += 0.1  # type: ignore[union-attr,index,operator]  # a Linear
    prints.add(ExactTransformer(other).fingerprint)
    assert len(prints) == 3
    assert ExactTransformer(network).fingerprint in prints
    assert state_bytes(exact(8)) == 2 * (4 if exact(8).compiles else 8) * 2 * 32 * 8


def test_fewer_chunks_go_side_by_side_where_their_states_would_leave_the_cache() -> None:
    found = []
    for context, dim in ((32, 8), (1024, 64), (2048, 64), (16384, 64)):
        layout = replace(trained(8).layout, context=context, embedding_dim=dim, num_layers=4)
        found.append(ExactTransformer(layout.build(), compiles=True).side_by_side)
    assert found == [4, 2, 1, 1]
    assert ExactTransformer(trained(8), compiles=False).side_by_side == 64


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding_dim": 8, "widening_factor": 2048}, r"widening_factor: found 16384, needed at"),
        ({"context": 16385}, r"data\.chunk_size: found 16385, needed at most 16384"),
    ],
)
def test_models_whose_sums_would_not_be_exact_are_refused(
    change: dict[str, int], message: str
) -> None:
    layout = replace(trained(8).layout, **change)  # type: ignore[arg-type]  # whole numbers
    with pytest.raises(CodecctlError, match=message):
        ExactTransformer(layout.build())


def test_a_full_head_of_16_bits_is_exact_too() -> None:
    model = exact(16)
    (row,) = frequencies(model, symbols(16, items=1, length=1))
    assert row.shape == (1, 65536)
    assert math.log2(float(row.double().sum())) == pytest.approx(FREQUENCY_BITS, abs=0.01)


@pytest.mark.parametrize(("bits", "head"), [*MODELS, (16, "full")])
def test_compiled_loops_give_the_numbers_of_tensors(bits: int, head: str) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    tokens = symbols(bits, items=5, length=32)
    loops = ExactTransformer(trained(bits, head), compiles=True)
    tensors = ExactTransformer(trained(bits, head), compiles=False)
    assert loops.fingerprint == tensors.fingerprint
    with torch.no_grad():
        for found, expected in zip(
            frequencies(loops, tokens), frequencies(tensors, tokens), strict=True
        ):
            torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(("dim", "heads"), [(10, 2), (21, 3), (6, 6)])
def test_compiled_loops_take_heads_of_any_size(dim: int, heads: int) -> None:
    pytest.importorskip("numba", reason="numba is not installed")
    layout = replace(trained(8).layout, embedding_dim=dim, num_heads=heads, context=21)
    torch.manual_seed(dim)
    network = layout.build()
    with torch.no_grad():
        for value in network.parameters():  # as large as weights can be: sums and clamps at work
            value.mul_(6.0)
    tokens = symbols(8, items=3, length=21)
    rows = [
        frequencies(ExactTransformer(network, compiles=compiles), tokens)
        for compiles in (True, False)
    ]
    for found, expected in zip(*rows, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
