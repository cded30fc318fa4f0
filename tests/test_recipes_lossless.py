"""The lossless recipe: bits as a coder would count them, and a training that learns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.datasets.tokens import Tokenizer
from codecctl.engine.networks.transformer import TransformerLayout
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.lossless import LosslessRecipe
from codecctl.engine.recipes.player import Player
from codecctl.engine.runtime import FabricRuntime

LAYOUT = TransformerLayout(
    bits=8, context=32, embedding_dim=16, num_layers=1, num_heads=2, widening_factor=2, head="full"
)


def recipe_of(
    layout: TransformerLayout = LAYOUT, *, items_at_once: int = 0, ema: float | None = None
) -> LosslessRecipe:
    runtime = FabricRuntime(0)
    torch.manual_seed(1)
    network = layout.build()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    player = Player(network, optimizer, schedule=lambda _step: 1.0, max_norm=0.0, runtime=runtime)
    average = None if ema is None else WeightAverage(network, decay=ema)
    return LosslessRecipe(player, runtime=runtime, items_at_once=items_at_once, average=average)


def sine(layout: TransformerLayout = LAYOUT, *, items: int = 8) -> tuple[Tensor, np.ndarray]:
    """Audio (B, 1, T) and its symbols (B, T)."""
    tokenizer = Tokenizer(layout.bits)
    phases = np.random.default_rng(0).random((items, 1)) * 6
    wave = 0.4 * np.sin(phases + 0.5 * np.arange(layout.context))
    tokens = (wave * tokenizer.zero).astype(np.int64) + tokenizer.zero
    return torch.from_numpy(tokenizer.audio(tokens))[:, None], tokens


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_the_recipe_takes_back_the_symbols_that_the_tokenizer_made_audio_of(bits: int) -> None:
    recipe: LosslessRecipe = recipe_of(replace(LAYOUT, bits=bits, head="factorised"))
    tokenizer = Tokenizer(bits)
    drawn = np.random.default_rng(bits).integers(0, tokenizer.vocabulary, (4, 5000))
    drawn[0, :3] = [0, tokenizer.vocabulary - 1, tokenizer.zero]
    audio = torch.from_numpy(tokenizer.audio(drawn))[:, None]
    assert np.array_equal(recipe.tokens(audio).numpy(), drawn)


def test_bits_are_the_mean_cost_of_a_symbol_in_bits_and_of_a_byte_of_it() -> None:
    recipe = recipe_of(replace(LAYOUT, bits=16, head="factorised"))
    audio, tokens = sine(recipe.network.layout)
    with torch.no_grad():
        costs = recipe.network(torch.from_numpy(tokens)).double() / math.log(2)
    found = recipe.evaluate(audio)
    assert found.metrics["bits_per_sample"].tolist() == pytest.approx(costs.mean(1).tolist())
    assert found.metrics["bits_per_byte"].tolist() == pytest.approx((costs.mean(1) / 2).tolist())
    row = recipe.aggregate([recipe.evaluate(audio[:3]), recipe.evaluate(audio[3:])])
    assert row["val/bits_per_sample"].item() == pytest.approx(costs.mean().item())
    assert row["val/ratio"].item() == pytest.approx(16 / costs.mean().item())
    trained = recipe.train_step(audio, 0)
    assert trained["loss/bits_per_sample"].item() == pytest.approx(costs.mean().item())
    assert trained["compression/ratio"].item() == pytest.approx(16 / costs.mean().item())


@pytest.mark.long
def test_a_sine_is_learned_and_the_ratio_rises() -> None:
    recipe = recipe_of()
    audio, _ = sine()
    before = recipe.aggregate([recipe.evaluate(audio)])["val/bits_per_sample"].item()
    rows = [recipe.train_step(audio, step) for step in range(120)]
    after = recipe.aggregate([recipe.evaluate(audio)])["val/bits_per_sample"].item()
    assert before == pytest.approx(8, abs=1.0)
    assert after < 0.6 * before
    assert rows[-1]["compression/ratio"] > rows[0]["compression/ratio"]


def test_a_batch_in_parts_is_the_same_update() -> None:
    audio, _ = sine()
    whole, parts = recipe_of(), recipe_of(items_at_once=2)
    for step in range(3):
        one, other = whole.train_step(audio, step), parts.train_step(audio, step)
        assert one["loss/bits_per_sample"].item() == pytest.approx(
            other["loss/bits_per_sample"].item(), rel=1e-6
        )
    for left, right in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        assert torch.allclose(left, right, atol=1e-5)


def test_a_state_taken_up_goes_on_bit_for_bit() -> None:
    audio, _ = sine()
    straight = recipe_of(ema=0.9)
    straight.initialize(iter(()))
    rows = [straight.train_step(audio, step) for step in range(6)]
    first = recipe_of(ema=0.9)
    first.initialize(iter(()))
    for step in range(3):
        first.train_step(audio, step)
    second = recipe_of(ema=0.9)
    second.load_state_dict(first.state_dict())
    again = [second.train_step(audio, step) for step in range(3, 6)]
    assert [{k: v.item() for k, v in row.items()} for row in again] == [
        {k: v.item() for k, v in row.items()} for row in rows[3:]
    ]
    assert torch.equal(
        second.evaluate(audio).metrics["bits_per_sample"],
        straight.evaluate(audio).metrics["bits_per_sample"],
    )


def test_validation_is_of_the_averaged_weights_and_training_goes_on() -> None:
    audio, _ = sine()
    recipe = recipe_of(ema=0.9)
    recipe.initialize(iter(()))
    for step in range(20):
        recipe.train_step(audio, step)
    average = recipe.modules()["average"]
    assert recipe.evaluated is average and recipe.network.training
    with torch.no_grad():
        expected = average(recipe.tokens(audio)).mean(1) / math.log(2)
    assert torch.equal(recipe.evaluate(audio).metrics["bits_per_sample"], expected)
    assert torch.equal(recipe.reconstruct(audio), audio)
    assert any("averaged weights" in note for note in recipe.notes())


def test_a_step_that_memory_did_not_suffice_for_is_taken_back_and_done_in_parts() -> None:
    audio, _ = sine()
    whole, parts = recipe_of(), recipe_of()
    costs = parts.network(parts.tokens(audio[:4]))
    torch.autograd.backward(costs.mean())  # of a step that did not come to its end
    assert [parts.shrink(8), parts.items_at_once, parts.shrink(8), parts.shrink(8)] == [4, 4, 2, 1]
    assert parts.shrink(8) == 0 and parts.items_at_once == 1
    one, other = whole.train_step(audio, 0), parts.train_step(audio, 0)
    assert one["grad_norm/generator"].item() == pytest.approx(
        other["grad_norm/generator"].item(), rel=1e-5
    )


def test_an_update_whose_costs_are_not_finite_is_left_out() -> None:
    audio, _ = sine()
    recipe = recipe_of(ema=0.9)
    recipe.initialize(iter(()))
    with torch.no_grad():
        next(recipe.network.trunk.layers.parameters()).view(-1)[0] = math.inf
    before = {name: value.clone() for name, value in recipe.network.state_dict().items()}
    row = recipe.train_step(audio, 0)
    assert not row["loss/bits_per_sample"].isfinite() and row["skipped_updates"] == 1
    after = recipe.network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
