"""trainer.deterministic: what it refuses, and that it changes no result of a CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch

from codecctl.engine.runtime import FabricRuntime

from .tiny_training import batch, changed, everything, recipe

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = os.environ.get("CUBLAS_WORKSPACE_CONFIG")
    yield
    torch.use_deterministic_algorithms(False)
    if before is None:
        os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


def test_it_warns_of_operations_without_a_deterministic_form_or_refuses_them() -> None:
    FabricRuntime(0, strict=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    with pytest.raises(RuntimeError, match="does not have a deterministic implementation"):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=False)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    FabricRuntime(0, deterministic=True)
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    with pytest.warns(UserWarning, match="does not have a deterministic implementation"):
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=False)
    FabricRuntime(0)
    assert not torch.are_deterministic_algorithms_enabled()


def test_two_trainings_are_equal_with_and_without_it() -> None:
    """Every operation of a step has a deterministic form on a CPU, and is the default there."""
    states = []
    for deterministic in (True, True, False):
        trained = recipe()
        FabricRuntime(0, strict=deterministic)
        for step in range(3):
            trained.train_step(batch(step), step)
        trained.evaluate(batch(9))
        states.append(everything(trained))
    assert changed(states[0], states[1]) == []
    assert changed(states[0], states[2]) == []
