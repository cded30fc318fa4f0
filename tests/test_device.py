from __future__ import annotations

import torch

from codecctl.engine.device import peak_memory_mb, rng_state, seed_everything, set_rng_state

CPU = torch.device("cpu")


def test_random_numbers_go_on_where_the_state_was_taken() -> None:
    seed_everything(3)
    state = rng_state(CPU)
    expected = torch.rand(4)
    torch.rand(7)
    set_rng_state(state, CPU)
    assert torch.equal(torch.rand(4), expected)
    seed_everything(3)
    assert torch.equal(torch.rand(4), expected)


def test_memory_that_was_held_shows_in_the_peak() -> None:
    before = peak_memory_mb(CPU)
    held = torch.ones(40_000_000)
    assert peak_memory_mb(CPU) >= max(before, 4 * held.numel() / 1e6)
