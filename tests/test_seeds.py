"""Draws that are functions of the seed, the step and the purpose."""

from __future__ import annotations

import torch

from codecctl.engine.seeds import draw, generator_at


def test_the_same_question_has_the_same_answer() -> None:
    assert draw(3401, step=7, purpose="a") == draw(3401, step=7, purpose="a")
    first, second = (generator_at(3401, step=7, purpose="a") for _ in range(2))
    assert torch.equal(torch.rand(5, generator=first), torch.rand(5, generator=second))


def test_seed_step_and_purpose_all_matter() -> None:
    numbers = {
        draw(1, step=1, purpose="a"),
        draw(2, step=1, purpose="a"),
        draw(1, step=2, purpose="a"),
        draw(1, step=1, purpose="b"),
    }
    assert len(numbers) == 4


def test_draws_are_uniform_between_zero_and_one() -> None:
    numbers = torch.tensor([draw(0, step=step, purpose="a") for step in range(4000)])
    assert 0 <= numbers.min() < 0.01
    assert 0.99 < numbers.max() < 1
    counts = torch.histc(numbers, bins=10, min=0, max=1)
    assert bool(((counts > 320) & (counts < 480)).all())
