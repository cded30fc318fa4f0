from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from codecctl.engine.finite import all_finite, spoiled_tensors

NAN = float("nan")


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))


def parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    return dict(module.named_parameters())


def test_a_state_that_is_finite_has_nothing_to_name() -> None:
    assert spoiled_tensors({}, {}) == []
    state = {"generator": {"network": network().state_dict(), "count": torch.tensor(3)}}
    assert spoiled_tensors(state, {"generator": network()}) == []


def test_moments_come_before_the_weights_that_they_spoil() -> None:
    module = network()
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    optimizer.state[parameters(module)["1.weight"]]["exp_avg_sq"][0, 1] = torch.inf
    with torch.no_grad():
        parameters(module)["0.bias"][1] = NAN
    state = {"generator": {"network": module.state_dict(), "optimizer": optimizer.state_dict()}}
    found = [each.name for each in spoiled_tensors(state, {"generator": module})]
    assert found == ["moment exp_avg_sq of generator 1.weight", "weight generator 0.bias"]


def test_an_average_is_named_only_where_it_is_alone() -> None:
    good, bad = network().state_dict(), network().state_dict()
    bad["0.bias"][0] = NAN
    modules = {"generator": network(), "average": network()}
    both = {"average": {"network": bad}, "generator": {"network": bad}}
    alone = {"average": {"network": bad}, "generator": {"network": good}}
    assert [each.name for each in spoiled_tensors(both, modules)] == ["weight generator 0.bias"]
    assert [each.name for each in spoiled_tensors(alone, modules)] == ["weight average 0.bias"]


def test_codebooks_are_counted_from_one_and_other_tensors_keep_their_path() -> None:
    books = {"quantizer.sums": torch.zeros(3, 4, 2)}
    books["quantizer.sums"][0, 1, 1] = books["quantizer.sums"][2, 0, 0] = NAN
    state = {
        "balancer": {"sums": {"mel": torch.tensor(torch.inf)}},
        "generator": {"network": books},
    }
    found = [each.name for each in spoiled_tensors(state, {"generator": network()})]
    assert found == ["codebook 1, 3 of generator quantizer.sums", "balancer sums mel"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("place", [0, 7, 1000])
def test_one_number_is_enough_not_to_be_finite(dtype: torch.dtype, place: int) -> None:
    largest = torch.finfo(dtype).max
    fine = torch.full((7, 143), largest, dtype=dtype)  # whose sum would not be
    assert bool(all_finite(fine))
    assert bool(all_finite(fine.new_zeros(0)))
    for bad in (math.nan, math.inf, -math.inf):
        spoiled = fine.clone()
        spoiled.view(-1)[place] = bad
        assert not bool(all_finite(spoiled))
        assert not bool(all_finite(spoiled.t()))
