"""The codec and the paired recipe on tiny networks."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.quantizers import ResidualVectorQuantizer
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired import PairedRecipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

pytestmark = pytest.mark.long

TINY = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "data.batch_size=2",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "model.quantizer.codebook_size=8",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "model.quantizer.bandwidths=[1.0]",
    "trainer.scheduler.enabled=false",
    "trainer.discriminator.scheduler.enabled=false",
    "trainer.discriminator.start={step=0}",
)


def profile(*overrides: str) -> Profile:
    return load_profile("paired", [*TINY, *overrides]).profile


def recipe_of(given: Profile) -> Recipe:
    recipe = build_recipe(given, runtime=FabricRuntime(0), updates_per_epoch=10)
    recipe.initialize(batches())
    return recipe


def recipe(*overrides: str) -> Recipe:
    return recipe_of(profile(*overrides))


def batch(seed: int = 0, *, capsules: int = 2) -> Tensor:
    """Two items of a common sound and a sound of each capsule, (2, M, 2400)."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(2, 1, 2400, generator=generator)
    return 0.1 * (common + 0.5 * torch.randn(2, capsules, 2400, generator=generator))


def batches(capsules: int = 2) -> Iterator[Tensor]:
    return (batch(1000 + index, capsules=capsules) for index in range(100))


def weights(trained: Recipe, role: str) -> dict[str, Tensor]:
    return copy.deepcopy(trained.modules()[role].state_dict())


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> bool:
    return any(not torch.equal(value, after[name]) for name, value in before.items())


def first_step(trained: Recipe, *, learning: bool) -> int:
    """A step on which the discriminator is updated, or one on which it is not."""
    for step in range(50):
        before = weights(trained, "discriminator")
        trained.train_step(batch(), step)
        if moved(before, weights(trained, "discriminator")) == learning:
            return step
    raise AssertionError(f"no step of 50 with learning={learning}")


def test_both_networks_move() -> None:
    trained = recipe("trainer.discriminator.update_probability=1.0")
    before = {role: weights(trained, role) for role in ("generator", "discriminator")}
    trained.train_step(batch(), 0)
    assert all(moved(before[role], weights(trained, role)) for role in before)


def test_the_codec_learns_one_batch() -> None:
    trained = recipe("trainer.optimizer.config.lr=3e-3", "trainer.discriminator.start={step=99}")
    before = trained.aggregate([trained.evaluate(batch())])
    for step in range(30):
        trained.train_step(batch(), step)
    after = trained.aggregate([trained.evaluate(batch())])
    assert after["val/mel"] < 0.5 * before["val/mel"]


def test_no_scalar_carries_a_graph_or_a_shape() -> None:
    trained = recipe("trainer.discriminator.update_probability=1.0")
    scalars = trained.train_step(batch(), 0)
    scalars |= trained.aggregate([trained.evaluate(batch())])
    assert all(value.shape == () and not value.requires_grad for value in scalars.values())
    assert all(bool(value.isfinite()) for value in scalars.values())


def test_every_term_has_its_scalars() -> None:
    scalars = recipe("trainer.discriminator.update_probability=1.0").train_step(batch(), 0)
    for term in ("time", "mel", "generator", "feature", "commitment"):
        capsules = scalars[f"loss/{term}/capsule1"] + scalars[f"loss/{term}/capsule2"]
        torch.testing.assert_close(scalars[f"loss/{term}"], capsules)
    for name in (
        "loss/similarity",
        "loss/diversity",
        "loss/discriminator",
        "grad_norm/generator",
        "grad_norm/discriminator",
        "lr/generator",
        "lr/discriminator",
        "balancer/feature",
        "balancer/feature/before",
        "codebook/1/usage",
        "codebook/2/perplexity",
        "codebook/2/dead",
    ):
        assert name in scalars
    assert scalars["loss/similarity"] >= 0
    assert scalars["loss/diversity"] <= 0


def test_the_total_is_the_weighted_sum_of_the_document() -> None:
    trained = recipe()
    scalars = trained.train_step(batch(), 0)
    document = {
        "time": 0.1,
        "mel": 1.0,
        "generator": 3.0,
        "feature": 3.0,
        "commitment": 1.0,
        "similarity": 0.5,
        "diversity": 0.5,
    }
    total = torch.stack([weight * scalars[f"loss/{name}"] for name, weight in document.items()])
    torch.testing.assert_close(scalars["loss/total"], total.sum())
    measured = trained.evaluate(batch()).metrics
    named = {**document, "mel_loss": document["mel"]}
    del named["mel"]
    whole = torch.stack([weight * measured[name] for name, weight in named.items()]).sum(0)
    torch.testing.assert_close(measured["total"], whole)


def test_codebooks_move_once_a_step_and_never_in_evaluation() -> None:
    trained = recipe("model.quantizer.decay=0.5", "model.quantizer.dead_threshold=0.0")
    network = trained.modules()["generator"]
    assert isinstance(network, CodecNetwork)
    quantizer = network.quantizer
    assert isinstance(quantizer, ResidualVectorQuantizer)
    counts = quantizer.counts.clone()
    trained.train_step(batch(), 0)
    coded = 2 * 2 * 8  # items, capsules, frames
    torch.testing.assert_close(quantizer.counts.sum(1), 0.5 * counts.sum(1) + 0.5 * coded)
    state = weights(trained, "generator")
    trained.evaluate(batch(1))
    trained.reconstruct(batch(2))
    assert not moved(state, weights(trained, "generator"))
    trained.train_step(batch(), 1)
    expected = 0.25 * counts.sum(1) + 0.75 * coded  # nothing was left over from the evaluation
    torch.testing.assert_close(quantizer.counts.sum(1), expected)


def test_evaluation_changes_no_later_step() -> None:
    first, second = recipe(), recipe()
    first.evaluate(batch(1))
    first.reconstruct(batch(1))
    ours, theirs = (trained.train_step(batch(), 0) for trained in (first, second))
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


def test_a_restored_state_continues_bit_for_bit() -> None:
    straight, first, second = recipe(), recipe(), recipe("trainer.seed=3401")
    for step in range(6):
        straight.train_step(batch(step), step)
    for step in range(3):
        first.train_step(batch(step), step)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for step in range(3, 6):
        scalars = second.train_step(batch(step), step)
    assert not moved(weights(straight, "generator"), weights(second, "generator"))
    assert not moved(weights(straight, "discriminator"), weights(second, "discriminator"))
    again = {r: r.train_step(batch(6), 6) for r in (straight, second)}
    assert all(torch.equal(v, again[second][name]) for name, v in again[straight].items())
    assert scalars


def test_a_state_loads_as_weights_only(tmp_path: object) -> None:
    trained = recipe()
    trained.train_step(batch(), 0)
    path = f"{tmp_path}/state.pt"
    torch.save(trained.state_dict(), path)
    loaded = recipe()
    loaded.load_state_dict(torch.load(path, weights_only=True))
    assert not moved(weights(trained, "generator"), weights(loaded, "generator"))


def test_the_discriminator_is_out_of_it_until_it_starts() -> None:
    trained = recipe(
        "trainer.discriminator.start={step=2}", "trainer.discriminator.update_probability=1.0"
    )
    before = weights(trained, "discriminator")
    for step in range(2):
        scalars = trained.train_step(batch(), step)
        assert not {"loss/generator", "loss/feature", "loss/discriminator"} & set(scalars)
        assert "balancer/generator" not in scalars
    assert not moved(before, weights(trained, "discriminator"))
    scalars = trained.train_step(batch(), 2)
    assert {"loss/generator", "loss/feature", "loss/discriminator"} <= set(scalars)
    assert moved(before, weights(trained, "discriminator"))


def test_the_original_order_of_things_can_be_restored() -> None:
    trained = recipe(
        "trainer.discriminator.start={epoch=5}",
        "trainer.discriminator.adversarial_before_start=true",
    )
    before = weights(trained, "discriminator")
    scalars = trained.train_step(batch(), 0)
    assert {"loss/generator", "loss/feature"} <= set(scalars)
    assert not moved(before, weights(trained, "discriminator"))
    assert "discriminators learn from step 40 on" in " ".join(trained.notes())


def test_whether_the_discriminator_learns_follows_from_seed_and_step() -> None:
    trained = recipe()
    learned = []
    for step in range(12):
        before = weights(trained, "discriminator")
        scalars = trained.train_step(batch(), step)
        learned.append(moved(before, weights(trained, "discriminator")))
        assert learned[-1] == ("grad_norm/discriminator" in scalars)
    other = recipe("trainer.optimizer.config.lr=1e-5")
    for step in reversed(range(12)):
        assert ("grad_norm/discriminator" in other.train_step(batch(), step)) == learned[step]
    assert 2 <= sum(learned) <= 10


def test_sharing_the_judgement_changes_no_gradient() -> None:
    """The generator's update on a step where the discriminator learns equals one where not."""
    always = recipe("trainer.discriminator.update_probability=1.0")
    later = recipe("trainer.discriminator.update_every=2")
    later.train_step(batch(), 1)
    always.train_step(batch(), 1)
    ours, theirs = weights(always, "generator"), weights(later, "generator")
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=1e-5, atol=1e-7)


def test_discriminators_first_judge_with_their_new_weights() -> None:
    certain = "trainer.discriminator.update_probability=1.0"
    first = recipe(certain, "trainer.order=discriminator_first")
    second = recipe(certain)
    ours, theirs = (trained.train_step(batch(), 0) for trained in (first, second))
    assert torch.equal(ours["loss/discriminator"], theirs["loss/discriminator"])
    assert not torch.equal(ours["loss/generator"], theirs["loss/generator"])
    for name, value in weights(first, "discriminator").items():
        torch.testing.assert_close(value, weights(second, "discriminator")[name])


def test_doubling_the_input_doubles_the_output() -> None:
    trained = recipe()
    once, twice = trained.reconstruct(batch()), trained.reconstruct(2 * batch())
    torch.testing.assert_close(twice, 2 * once, rtol=1e-4, atol=1e-7)
    assert torch.equal(_codes(trained, batch()), _codes(trained, 2 * batch()))


def _codes(trained: Recipe, audio: Tensor) -> Tensor:
    codes = trained.evaluate(audio).codes
    assert codes is not None
    return codes


def test_capsules_are_coded_apart_from_each_other() -> None:
    trained = recipe()
    changed = batch()
    changed[0, 1] = 0.3
    ours, theirs = trained.reconstruct(batch()), trained.reconstruct(changed)
    torch.testing.assert_close(ours[0, 0], theirs[0, 0])
    torch.testing.assert_close(ours[1], theirs[1])
    assert not torch.equal(ours[0, 1], theirs[0, 1])


def test_items_are_measured_apart_from_each_other() -> None:
    trained = recipe()
    whole = trained.evaluate(batch())
    for item in range(2):
        alone = trained.evaluate(batch()[item : item + 1])
        for name, values in whole.metrics.items():
            torch.testing.assert_close(alone.metrics[name][0], values[item], rtol=1e-3, atol=1e-5)


def test_validation_sees_similarity_and_diversity_of_different_capsules() -> None:
    trained = recipe()
    metrics = trained.evaluate(batch()).metrics
    assert bool((metrics["similarity"] > 0).all())
    assert bool((metrics["diversity"] < 0).all())
    same = batch()[:, :1].expand(2, 2, 2400).contiguous()
    metrics = trained.evaluate(same).metrics
    assert metrics["similarity"].tolist() == [0, 0]
    assert metrics["diversity"].tolist() == [0, 0]
    assert metrics["code_agreement"].tolist() == [1, 1]
    assert metrics["second_code_difference"].tolist() == [0, 0]
    # The other capsule's first codes are its own, so that nothing is exchanged.
    torch.testing.assert_close(metrics["swap/mel"], metrics["mel"])


@pytest.mark.parametrize("term", ["similarity", "diversity"])
def test_pairwise_terms_reach_the_encoder_and_nothing_else(term: str) -> None:
    """One step with a weight against one without."""
    key = f"trainer.loss_config.pairwise.weights.{term}"
    changed = set()
    plain, weighted = recipe(f"{key}=0.0"), recipe(f"{key}=100.0")
    for trained in (plain, weighted):
        trained.train_step(batch(), 0)
    theirs = weights(plain, "generator")
    for name, value in weights(weighted, "generator").items():
        if not torch.equal(value, theirs[name]):
            changed.add(name.split(".")[1])
    assert changed == {"encoder"}


def test_set_level_figures_are_those_of_all_items_together() -> None:
    trained = recipe()
    parts = [trained.evaluate(batch(seed)) for seed in range(3)]
    scalars = trained.aggregate(parts)
    codes = torch.cat([_codes(trained, batch(seed)) for seed in range(3)])
    used = len(set(codes[:, :, 0].flatten().tolist())) / 8
    assert scalars["val/codebook/1/usage"].item() == pytest.approx(used)
    mel = torch.cat([part.metrics["mel"] for part in parts])
    torch.testing.assert_close(scalars["val/mel"], mel.mean())
    assert scalars["val/bitrate_kbps"].item() == pytest.approx((2 * 3 * 75 + 32) / 1000)


def test_equal_capsules_agree_above_chance_and_tell_all_of_each_other() -> None:
    trained = recipe()
    same = batch()[:, :1].expand(2, 2, 2400).contiguous()
    scalars = trained.aggregate([trained.evaluate(same)])
    assert scalars["val/code_agreement/above_chance"].item() == pytest.approx(1)
    entropy = scalars["val/codebook/1/entropy"].item()
    assert 0.5 * entropy < scalars["val/first_code_bits"].item() < 1.5 * entropy


def test_the_codec_recipe_trains_one_capsule() -> None:
    mono = profile().model_copy(update={"mode": "mono"})
    trained = build_recipe(mono, runtime=FabricRuntime(0), updates_per_epoch=10)
    assert isinstance(trained, CodecRecipe)
    trained.initialize(batches(capsules=1))
    scalars = trained.train_step(batch(capsules=1), 0)
    assert "loss/similarity" not in scalars
    assert not any("capsule" in name for name in scalars)
    assert trained.evaluate(batch(capsules=1)).codes.shape == (2, 1, 2, 8)


def test_three_capsules_train_as_well() -> None:
    trained = recipe()
    scalars = trained.train_step(batch(capsules=3), 0)
    assert "loss/mel/capsule3" in scalars
    assert _codes(trained, batch(capsules=3)).shape == (2, 3, 2, 8)


def test_a_limit_on_the_gradient_is_kept_and_the_norm_before_it_reported() -> None:
    free, limited = recipe(), recipe("trainer.gradient_clip_val=1e-3")
    ours = free.train_step(batch(), 0)["grad_norm/generator"]
    theirs = limited.train_step(batch(), 0)["grad_norm/generator"]
    assert ours > 1e-2
    torch.testing.assert_close(ours, theirs)


def test_a_first_loss_that_is_not_finite_has_a_name() -> None:
    poisoned = batch()
    poisoned[0, 0, 7] = float("nan")
    scalars = recipe().train_step(poisoned, 0)
    assert not bool(scalars["loss/time/capsule1"].isfinite())
    assert bool(scalars["loss/time/capsule2"].isfinite())


def test_the_notes_explain_the_signs() -> None:
    trained = recipe()
    assert isinstance(trained, PairedRecipe)
    notes = " ".join(trained.notes())
    assert "never negative, 0 when they are the same" in notes
    assert "more negative means further apart" in notes


SHARE = "trainer.loss_config.pairwise.{}.config.weighting=gradient_share"
BOTH_SHARES = (SHARE.format("similarity"), SHARE.format("diversity"))


def test_gradient_shares_change_the_update_from_the_second_step_on_and_no_logged_value() -> None:
    fixed, shared = recipe(), recipe(*BOTH_SHARES)
    ours, theirs = (trained.train_step(batch(), 0) for trained in (shared, fixed))
    assert not moved(weights(shared, "generator"), weights(fixed, "generator"))
    assert {name: value for name, value in ours.items() if not name.startswith("factor/")} == theirs
    assert ours["factor/similarity"] == ours["factor/diversity"] == 1
    ours, theirs = (trained.train_step(batch(1), 1) for trained in (shared, fixed))
    assert ours["factor/similarity"] != 1
    assert torch.equal(ours["loss/similarity"], theirs["loss/similarity"])
    assert moved(weights(shared, "generator"), weights(fixed, "generator"))


def test_a_restored_state_continues_with_its_gradient_shares() -> None:
    straight, first, second = (recipe(*BOTH_SHARES) for _ in range(3))
    for step in range(4):
        straight.train_step(batch(step), step)
    for step in range(2):
        first.train_step(batch(step), step)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for step in range(2, 4):
        second.train_step(batch(step), step)
    assert not moved(weights(straight, "generator"), weights(second, "generator"))
    again = {r: r.train_step(batch(6), 6) for r in (straight, second)}
    assert again[straight]["factor/diversity"] == again[second]["factor/diversity"] != 1


def test_a_batch_in_parts_has_the_terms_and_factors_of_the_whole() -> None:
    frames = "trainer.loss_config.pairwise.similarity.config.frames=coherence"
    whole = recipe(*BOTH_SHARES, frames)
    parted = recipe(*BOTH_SHARES, frames, "trainer.accumulate_grad_batches=2")
    for step in range(2):
        ours, theirs = (trained.train_step(batch(step), step) for trained in (whole, parted))
        for name in ("loss/similarity", "loss/diversity", "factor/similarity", "factor/diversity"):
            torch.testing.assert_close(ours[name], theirs[name], rtol=1e-3, atol=1e-6)


def test_frames_that_count_by_content_change_the_term_in_training_alone() -> None:
    key = "trainer.loss_config.pairwise.{}.config.frames={}"
    plain = recipe()
    weighed = recipe(key.format("similarity", "energy"), key.format("diversity", "incoherence"))
    torch.testing.assert_close(
        plain.evaluate(batch()).metrics["similarity"],
        weighed.evaluate(batch()).metrics["similarity"],
    )
    ours, theirs = (trained.train_step(batch(), 0) for trained in (plain, weighed))
    assert ours["loss/similarity"] != theirs["loss/similarity"]
    assert ours["loss/diversity"] != theirs["loss/diversity"]
    assert torch.equal(ours["loss/mel"], theirs["loss/mel"])
    assert "weighs frames by incoherence" in " ".join(weighed.notes())


def test_two_terms_of_one_stage_cannot_both_have_a_share() -> None:
    with pytest.raises(ProfileError, match="both terms of stage 0, needed two stages"):
        recipe(*BOTH_SHARES, "trainer.loss_config.pairwise.diversity.config.stage=0")
