"""The classifier of capsules: what it learns, what the codec gets of it, and that it resumes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.datasets.store import Store
from codecctl.engine.build_classifier import build_classifier, refuse_more_capsules
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe, Scalars
from codecctl.engine.recipes.capsule_classifier import CapsuleClassifier
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.within_memory import WithinMemory
from codecctl.errors import ProfileError

from . import tiny_training
from .tiny_training import batch, changed, everything

CLASSIFIER = "trainer.loss_config.pairwise.classifier.config"
WEIGHT = "trainer.loss_config.pairwise.weights.classifier"
SMALL = (f"{CLASSIFIER}.num_capsules=4", f"{CLASSIFIER}.hidden=8")
PROFILE = "paired-classifier"


def classifier(*overrides: str) -> CapsuleClassifier:
    given = [*tiny_training.TINY, *SMALL, *overrides]
    profile = load_profile(PROFILE, given).profile
    built = build_classifier(profile, FabricRuntime(0), 10)
    assert built is not None
    return built


def stages(seed: int = 0) -> Tensor:
    """(2, 3, 2, 8, 5): three items of two capsules."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, 2, 8, 5, generator=generator, requires_grad=True)


CHANNELS = torch.tensor([[0, 1], [2, 3], [1, 3]])
UNMOVED = torch.tensor(False)


def recipe(*overrides: str) -> Recipe:
    return tiny_training.recipe(*SMALL, *overrides, profile=PROFILE)


def channels(seed: int) -> Tensor:
    """Of a batch of four items, (4, 2)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(4, generator=generator)[:2] for _ in range(4)])


def train(trained: Recipe, steps: range) -> list[Scalars]:
    return [trained.train_step(batch(step), step, channels(step)) for step in steps]


def test_the_term_of_a_classifier_that_knows_nothing_is_the_logarithm_of_the_capsules() -> None:
    found = classifier()
    for parameter in found.player.network.parameters():
        torch.nn.init.zeros_(parameter)
    term = found.learn(stages(), CHANNELS, share=1.0)
    torch.testing.assert_close(term, torch.full((3,), math.log(4)))


def test_the_term_reaches_its_stage_and_never_the_classifier() -> None:
    found, vectors = classifier(), stages()
    term = found.learn(vectors, CHANNELS, share=1.0)
    told = [p.grad.clone() for p in found.player.network.parameters() if p.grad is not None]
    assert len(told) == 4
    assert vectors.grad is None  # what the classifier learns stops at the vectors
    term.sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert vectors.grad is not None
    assert vectors.grad[0].abs().max() == 0
    assert bool((vectors.grad[1].abs().amax((1, 2, 3)) > 0).all())
    now = [p.grad for p in found.player.network.parameters() if p.grad is not None]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(told, now, strict=True))


def test_two_parts_teach_what_the_whole_does() -> None:
    whole, parted = classifier(), classifier()
    terms = whole.learn(stages(), CHANNELS, share=1.0)
    parts = [
        parted.learn(stages()[:, at], CHANNELS[at], share=share)
        for at, share in ((slice(0, 1), 1 / 3), (slice(1, 3), 2 / 3))
    ]
    torch.testing.assert_close(torch.cat(parts), terms)
    ours, theirs = (each.move(0, blocked=UNMOVED) for each in (parted, whole))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.long
def test_it_learns_vectors_that_tell_and_guesses_at_those_that_do_not() -> None:
    generator = torch.Generator().manual_seed(3)
    told, accuracies = torch.randn(4, 8, generator=generator), []
    for tells in (True, False):
        found = classifier("trainer.optimizer.config.lr=1e-2")
        for step in range(150):
            which = torch.randint(4, (8, 2), generator=generator)
            noise = 0.1 * torch.randn(2, 8, 2, 8, 4, generator=generator)
            vectors = noise + told[which][None, ..., None] if tells else noise
            found.learn(vectors, which, share=1.0)
            scalars = found.move(step, blocked=UNMOVED)
        assert float(scalars["classifier_accuracy/chance"]) == 0.25
        which = torch.randint(4, (64, 2), generator=generator)
        noise = 0.1 * torch.randn(2, 64, 2, 8, 4, generator=generator)
        vectors = noise + told[which][None, ..., None] if tells else noise
        accuracies.append(float(found.measure(vectors, which)["classifier_accuracy"].mean()))
    assert accuracies[0] > 0.95
    assert abs(accuracies[1] - 0.25) < 0.1


def test_nothing_is_learned_of_an_update_that_was_left_out() -> None:
    found = classifier()
    before = copy.deepcopy(found.player.network.state_dict())
    found.learn(stages(), CHANNELS, share=1.0)
    found.move(0, blocked=torch.tensor(True))
    after = found.player.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_its_weights_are_drawn_apart_from_those_of_the_codec() -> None:
    ours = recipe().modules()["generator"].state_dict()
    theirs = tiny_training.recipe().modules()["generator"].state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.long
def test_rows_of_training_and_validation_hold_accuracy_beside_chance() -> None:
    trained = recipe()
    (row,) = train(trained, range(1))
    row |= trained.aggregate([trained.evaluate(batch(9), channels(9))])
    for name in ("classifier_accuracy", "val/classifier_accuracy"):
        assert 0 <= float(row[name]) <= 1
        assert float(row[f"{name}/chance"]) == 0.25
    assert float(row["loss/classifier"]) == pytest.approx(math.log(4), abs=0.5)
    assert {"val/classifier", "grad_norm/classifier"} <= set(row)
    assert "one of 4 capsules" in " ".join(trained.notes())


@pytest.mark.long
def test_its_term_counts_with_its_weight_in_both_totals() -> None:
    light, heavy = recipe(f"{WEIGHT}=1e-6"), recipe(f"{WEIGHT}=2.0")
    (ours,), (theirs,) = train(light, range(1)), train(heavy, range(1))
    more = theirs["loss/total"] - ours["loss/total"]
    torch.testing.assert_close(more, 2 * theirs["loss/classifier"], rtol=1e-4, atol=1e-5)
    assert torch.equal(theirs["loss/classifier"], ours["loss/classifier"])
    measured = [recipe(f"{WEIGHT}={w}").evaluate(batch(9), channels(9)).metrics for w in (1e-6, 2)]
    more = measured[1]["total"] - measured[0]["total"]
    torch.testing.assert_close(more, 2 * measured[1]["classifier"], rtol=1e-4, atol=1e-5)


@pytest.mark.long
def test_the_codec_follows_it_and_gradient_shares_do_not_hear_it() -> None:
    share = "trainer.loss_config.pairwise.diversity.config.weighting=gradient_share"
    light, heavy = recipe(f"{WEIGHT}=1e-6", share), recipe(f"{WEIGHT}=10.0", share)
    train(light, range(1))
    train(heavy, range(1))
    before, after = everything(light), everything(heavy)
    assert any("generator/network/autoencoder.encoder" in n for n in changed(before, after))
    sums = [name for name in before if name.startswith("shares/sums")]
    assert len(sums) == 3
    assert not set(sums) & set(changed(before, after))


@pytest.mark.long
def test_a_restored_state_continues_bit_for_bit(tmp_path: Path) -> None:
    straight, first, second = recipe(), recipe(), recipe()
    train(straight, range(4))
    train(first, range(2))
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    train(second, range(2, 4))
    kept = everything(straight)
    assert any(name.startswith("classifier/optimizer") for name in kept)
    assert changed(kept, everything(second)) == []


@pytest.mark.long
def test_a_batch_in_parts_trains_the_classifier_as_the_whole_does() -> None:
    whole, parted = recipe(), recipe("trainer.accumulate_grad_batches=2")
    ours, theirs = train(whole, range(2)), train(parted, range(2))
    for name in ("loss/classifier", "classifier_accuracy", "grad_norm/classifier"):
        torch.testing.assert_close(theirs[1][name], ours[1][name], rtol=1e-3, atol=1e-5)


@pytest.mark.long
def test_a_step_taken_back_leaves_nothing_gathered() -> None:
    plain, shrunk = recipe("trainer.accumulate_grad_batches=2"), recipe()
    shrunk._classifier.learn(stages(), CHANNELS, share=1.0)  # type: ignore[attr-defined]
    assert shrunk.shrink(4) == 2
    ours, theirs = train(plain, range(1)), train(shrunk, range(1))
    for name in ("grad_norm/classifier", "classifier_accuracy"):
        assert torch.equal(ours[0][name], theirs[0][name])


@pytest.mark.long
def test_what_watches_memory_hands_the_channels_on() -> None:
    plain, watched = recipe(), recipe()
    careful = WithinMemory(
        watched, device=torch.device("cpu"), ranks=1, halve=True, warn=pytest.fail
    )
    ours, theirs = train(plain, range(1)), train(careful, range(1))
    assert torch.equal(ours[0]["loss/classifier"], theirs[0]["loss/classifier"])
    measured = [each.evaluate(batch(9), channels(9)).metrics for each in (plain, careful)]
    assert torch.equal(measured[0]["classifier"], measured[1]["classifier"])


@pytest.mark.long
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_it_keeps_its_precision_and_its_own_loss_scale(precision: str) -> None:
    trained = recipe(f"trainer.precision={precision}")
    rows = train(trained, range(3))
    assert bool(rows[-1]["loss/classifier"].isfinite())
    assert ("scale/classifier" in rows[0]) == (precision == "16-mixed")
    exact = train(recipe(), range(1))[0]["loss/classifier"]
    assert float(rows[0]["loss/classifier"]) == pytest.approx(float(exact), rel=0.05)


def test_without_a_weight_nothing_is_built() -> None:
    assert "classifier" not in tiny_training.recipe().modules()


@pytest.mark.parametrize(
    ("profile", "override", "sentence"),
    [
        ("mono", f"{WEIGHT}=0.1", "weights.classifier: found 0.1, allowed in mode 'mono': 0"),
        (PROFILE, f"{CLASSIFIER}.stage=2", "config.stage: found 2, allowed: below .* = 2"),
    ],
)
def test_a_profile_in_which_it_cannot_work_is_refused(
    profile: str, override: str, sentence: str
) -> None:
    with pytest.raises(ProfileError, match=sentence):
        load_profile(profile, [override])


def test_a_recording_of_more_capsules_than_it_knows_is_refused(
    make_store: Callable[..., Path],
) -> None:
    audio = np.zeros((5, 1000), dtype=np.float32)
    with Store.open(make_store({"Beach.1": audio}, sample_rate=1000)) as store:
        profile = load_profile(PROFILE, SMALL).profile
        with pytest.raises(ProfileError, match="num_capsules: found 4, needed 5: the channels"):
            refuse_more_capsules(profile, store)
        refuse_more_capsules(load_profile(PROFILE, []).profile, store)
        refuse_more_capsules(load_profile("paired", SMALL).profile, store)
