"""Compiled networks train, validate, save and resume as plain ones do."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from codecctl.engine.compiler import require_compiler
from codecctl.engine.recipes.base import Recipe
from codecctl.errors import CodecctlError

from .tiny_training import batch, changed, everything, recipe

CPU = torch.device("cpu")
SMALL = (
    "model.generator.num_filters=2",
    "model.generator.compress=1",
    "model.generator.latent_dim=4",
    "model.generator.strides=[4,2]",
    "model.quantizer.bandwidths=[9.0]",
)


def test_without_a_compiler_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        CodecctlError, match=r"^trainer\.compile: found none of g\+\+.*trainer\.compile=false$"
    ):
        require_compiler(CPU)


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything of torch.compile but the code that it would generate, which takes minutes."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    yield
    torch.compiler.reset()


@pytest.mark.long
@pytest.mark.usefixtures("captured")
@pytest.mark.filterwarnings("ignore")  # torch's own, of its compiler
def test_a_compiled_training_is_the_plain_one_and_resumes() -> None:
    plain, compiled, resumed = (
        recipe(*SMALL, f"trainer.compile={value}") for value in ("false", "true", "true")
    )
    assert _is_compiled(compiled) and not _is_compiled(plain)
    compiled.load_state_dict(copy.deepcopy(plain.state_dict()))
    for step in range(2):
        ours, theirs = (each.train_step(batch(step), step) for each in (compiled, plain))
        torch.testing.assert_close(ours["loss/total"], theirs["loss/total"], rtol=1e-4, atol=0)
    expected = everything(plain)
    for name, value in everything(compiled).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-3, atol=1e-4, msg=name)
    assert list(expected) == list(everything(compiled))  # no prefix in the names of weights

    resumed.load_state_dict(copy.deepcopy(compiled.state_dict()))
    for each in (compiled, resumed):
        each.train_step(batch(2), 2)
    assert changed(everything(compiled), everything(resumed)) == []
    scores = [each.aggregate([each.evaluate(batch(9))])["val/mel"] for each in (compiled, plain)]
    assert all(bool(score.isfinite()) for score in scores)
    assert compiled.reconstruct(batch(9, items=1)).shape == (1, 2, 1200)


def _is_compiled(trained: Recipe) -> bool:
    encoder = trained.modules()["generator"].autoencoder.encoder  # type: ignore[union-attr]
    return encoder._compiled_call_impl is not None  # type: ignore[union-attr]
