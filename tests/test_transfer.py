"""A training that starts with the weights of another one, layer by layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from codecctl.engine.build import build_recipe
from codecctl.engine.checkpoint import load_state
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.transfer import Transfer, transfer
from codecctl.errors import ProfileError
from tests.trained_runs import BOOKS, NARROW, write_run

SMALL = (*NARROW, *BOOKS, "trainer.seed=5", "trainer.num_gpus=0")


def fresh(*overrides: str, profile: str = "mono") -> Recipe:
    resolved = load_profile(profile, (*SMALL, *overrides), search=(PACKAGED,))
    return build_recipe(resolved.profile, runtime=FabricRuntime(0), updates_per_epoch=10)


def source(tmp_path: Path, *overrides: str, averaged: bool = False) -> Path:
    write_run(tmp_path / "a", *BOOKS, *overrides, averaged=averaged)
    return tmp_path / "a" / "checkpoints" / "step-000000007"


def taken(done: Transfer) -> set[str]:
    return {f"{layer.role} {layer.name}" for layer in done.layers if layer.status == "taken"}


def generator(recipe: Recipe) -> CodecNetwork:
    network = recipe.modules()["generator"]
    assert isinstance(network, CodecNetwork)
    return network


def test_codec_codebooks_and_discriminators_are_taken_and_nothing_is_fitted(
    tmp_path: Path,
) -> None:
    checkpoint, recipe = source(tmp_path), fresh()
    done = transfer(recipe, checkpoint, partial=False, rate=24_000)
    assert {layer.status for layer in done.layers} == {"taken"}
    state = load_state(checkpoint)["recipe"]
    assert isinstance(state, dict)
    for role, network in recipe.modules().items():
        there = state[role]["network"]
        assert there.keys() == network.state_dict().keys()
        assert all(torch.equal(there[k], v) for k, v in network.state_dict().items())
    before = generator(recipe).quantizer.state_dict()["codebooks"].clone()  # type: ignore[attr-defined]  # a module, too
    recipe.initialize(iter(()))  # no batch is asked for
    assert torch.equal(before, generator(recipe).quantizer.state_dict()["codebooks"])  # type: ignore[attr-defined]


@pytest.mark.long
def test_a_step_after_it_is_that_of_networks_loaded_by_hand(tmp_path: Path) -> None:
    checkpoint = source(tmp_path)
    state = load_state(checkpoint)["recipe"]
    assert isinstance(state, dict)
    recipes = fresh(), fresh()
    transfer(recipes[0], checkpoint, partial=False, rate=24_000)
    for role, network in recipes[1].modules().items():
        network.load_state_dict(state[role]["network"])
    audio = 0.1 * torch.randn(2, 1, 4800, generator=torch.Generator().manual_seed(0))
    rows = [recipe.train_step(audio, 0) for recipe in recipes]
    assert rows[0].keys() == rows[1].keys()
    assert all(torch.equal(rows[0][name], rows[1][name]) for name in rows[0])


def test_averaged_weights_are_preferred_and_the_new_average_starts_there(tmp_path: Path) -> None:
    checkpoint, recipe = source(tmp_path, averaged=True), fresh("trainer.ema.enabled=true")
    done = transfer(recipe, checkpoint, partial=False, rate=24_000)
    recipe.initialize(iter(()))
    assert done.source["weights"] == "average"
    average = recipe.modules()["average"].state_dict()
    assert all(torch.equal(average[k], v) for k, v in generator(recipe).state_dict().items())


def test_of_more_codebooks_the_first_are_taken(tmp_path: Path) -> None:
    checkpoint = source(tmp_path, "model.quantizer.num_codebooks=4")
    recipe = fresh()
    done = transfer(recipe, checkpoint, partial=False, rate=24_000)
    (books,) = [layer for layer in done.layers if layer.name == "quantizer"]
    assert (books.status, books.detail) == ("taken", "first 2 of 4 codebooks")
    state = load_state(checkpoint)["recipe"]
    assert isinstance(state, dict)
    there = state["generator"]["network"]["quantizer.codebooks"]
    assert torch.equal(generator(recipe).state_dict()["quantizer.codebooks"], there[:2])


def test_layers_that_do_not_fit_are_refused_and_named(tmp_path: Path) -> None:
    checkpoint, recipe = source(tmp_path), fresh("model.generator.latent_dim=4")
    before = {k: v.clone() for k, v in generator(recipe).state_dict().items()}
    with pytest.raises(ProfileError) as raised:
        transfer(recipe, checkpoint, partial=False, rate=24_000)
    (line,) = str(raised.value).splitlines()
    assert line.startswith("--from a:step-000000007: 3 of ")
    assert "autoencoder.encoder.layers.15: other shape" in line
    assert "quantizer.codebooks: found 2x16x8, needed 2x16x4" in line
    assert line.endswith("or take what fits: --from-partial")
    assert all(torch.equal(before[k], v) for k, v in generator(recipe).state_dict().items())


@pytest.mark.long
def test_with_partial_the_rest_starts_afresh_and_is_fitted(tmp_path: Path) -> None:
    checkpoint = source(tmp_path)
    recipe, untouched = (fresh("model.generator.latent_dim=4") for _ in range(2))
    done = transfer(recipe, checkpoint, partial=True, rate=24_000)
    last = "autoencoder.encoder.layers.15"
    assert "generator autoencoder.encoder.layers.0" in taken(done)
    assert f"generator {last}" not in taken(done)
    ours, drawn = generator(recipe).state_dict(), generator(untouched).state_dict()
    changed = {name for name in ours if not torch.equal(ours[name], drawn[name])}
    assert f"{last}.conv.bias" not in changed
    assert "autoencoder.encoder.layers.0.conv.bias" in changed
    assert generator(recipe).quantizer.frames_needed == 4 * 16
    assert done.facts()["not_taken"] == [
        f"generator {last}",
        "generator autoencoder.decoder.layers.0",
        "generator quantizer",
    ]


def test_nothing_in_common_is_refused_with_partial_too(tmp_path: Path) -> None:
    checkpoint = source(tmp_path)
    other = ("model=soundstream", "model.generator.num_filters=2", "trainer.num_gpus=0")
    profile = load_profile("mono", other, search=(PACKAGED,)).profile
    recipe = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)
    with pytest.raises(ProfileError, match="nothing of the codec fits"):
        transfer(recipe, checkpoint, partial=True, rate=24_000)


def test_layers_of_the_source_without_a_place_are_told(tmp_path: Path) -> None:
    checkpoint = source(tmp_path, "model.generator.lstm_layers=2")
    with pytest.raises(ProfileError, match=r"layers.13: no place .*weight_ih_l1"):
        transfer(fresh(), checkpoint, partial=False, rate=24_000)


def test_weights_without_discriminators_and_another_rate_are_noted(tmp_path: Path) -> None:
    checkpoint = source(tmp_path, "trainer.loss_config.adversarial.weights.generator=3.0")
    state = load_state(checkpoint)
    recipe_state = state["recipe"]
    assert isinstance(recipe_state, dict)
    del recipe_state["discriminator"]
    rewrite(checkpoint, state)
    done = transfer(fresh(), checkpoint, partial=False, rate=48_000)
    assert done.notes == (
        "discriminator: the checkpoint has none; it starts afresh",
        "the weights were trained at 24000 Hz, this training is at 48000 Hz",
    )


def rewrite(checkpoint: Path, state: dict[str, object]) -> None:
    """Replace state.pt by another one, with its hash."""
    import json

    from codecctl.engine.checked_file import CheckedFile
    from codecctl.engine.checkpoint_files import write_checkpoint

    meta = json.loads((checkpoint / "meta.json").read_text())
    weights = (checkpoint / "weights.safetensors").read_bytes()

    def old(file: CheckedFile) -> None:
        file.write(weights)

    def new(file: CheckedFile) -> None:
        torch.save(state, file)  # type: ignore[arg-type]  # a raw file is enough to write

    write_checkpoint(
        checkpoint.parent,
        checkpoint.name,
        files={"weights.safetensors": old, "state.pt": new},
        meta={name: value for name, value in meta.items() if name != "files"},
    )
