from __future__ import annotations

import pytest
import torch

from codecctl.engine.reflection import reflect, turned


@pytest.mark.parametrize(("left", "right"), [(3, 2), (0, 4), (4, 0), (0, 0), (4, 4)])
def test_turned_ends_are_those_of_torch_with_the_same_gradient(left: int, right: int) -> None:
    found = []
    for form in (reflect, turned):
        audio = torch.arange(10.0, dtype=torch.float64).reshape(1, 2, 5).requires_grad_()
        padded = form(audio, left, right)
        torch.autograd.backward((padded * torch.arange(padded.shape[-1])).sum())
        assert audio.grad is not None
        found.append((padded.detach(), audio.grad))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_by_hand() -> None:
    assert turned(torch.tensor([1, 2, 3, 4]), 2, 1).tolist() == [3, 2, 1, 2, 3, 4, 3]
