"""A batch in one part and in several: the same update, in float64."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe, Scalars
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.paired import PairedRecipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

pytestmark = pytest.mark.long

TINY = (
    "model=tiny",
    "data.segment_seconds=0.05",
    "data.min_source_seconds=0.05",
    "data.batch_size=4",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "model.discriminators.0.num_filters=2",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.scheduler.enabled=false",
    "trainer.discriminator.scheduler.enabled=false",
    "trainer.discriminator.start={step=1}",
)
ON_SPECTRA = (
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
)
SEVERAL = (
    "data.segment_seconds=0.425",  # hardly more than half the rate needs
    'model.discriminators=[{type="stft",n_fft=256,hop_length=256,num_filters=8,channels="all"},'
    '{type="stft",n_fft=128,hop_length=64,num_filters=8,channels="all"},'
    '{type="wave",factors=[1,2],num_filters=2,max_filters=8,leak=0.2,channels="all"},'
    '{type="wave",factors=[2],num_filters=4,max_filters=8,leak=0.1,channels="all"}]',
    "model.quantizer.num_codebooks=2",
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[0.3,0.6]",
    "model.quantizer.groups=2",
    "trainer.stages=[]",  # both sides move
    "trainer.gradient_clip_val=0.1",
    "trainer.discriminator.gradient_clip_val=0.1",
    "trainer.discriminator.start={step=0}",
)
BOOKS = ("model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[1.0]")
CASES: dict[str, tuple[str, int, tuple[int, ...], tuple[str, ...]]] = {
    "paired": ("paired", 2, (2, 4), BOOKS),
    "three capsules": ("paired", 3, (4,), (*BOOKS, "trainer.order=discriminator_first")),
    "dropout in groups": (
        "mono",
        1,
        (2,),
        (
            *BOOKS,
            "model.quantizer.dropout=true",
            "model.quantizer.groups=2",
            "trainer.gradient_clip_val=0.1",
        ),
    ),
    "learned books": ("mono", 1, (4,), ("model.quantizer.type=vq", *BOOKS)),
    "partly balanced": ("mono", 1, (2,), (*BOOKS, 'trainer.balancer.covers=["mel","feature"]')),
    "several discriminators": ("soundstream", 1, (2, 4), SEVERAL),
    "all channels": (
        "baseline-32ch",
        3,
        (4,),
        ("data.capsules.count=3", "model.generator.channels=3"),
    ),
    "pairs of channels": (
        "baseline-32ch",
        4,
        (2,),
        (
            "data.capsules.count=4",
            "model.generator.channels=4",
            "model.discriminators.0.channels=pairs",
        ),
    ),
}
"""Profile, capsules, numbers of parts, overrides."""
SAMPLES = {"several discriminators": 10200}


def batch(capsules: int, seed: int, *, samples: int = 1200) -> Tensor:
    """Four items, each twice as loud as the one before: the mean of parts is no trifle."""
    generator = torch.Generator().manual_seed(seed)
    loud = 0.05 * 2.0 ** torch.arange(4, dtype=torch.float64).reshape(-1, 1, 1)
    return loud * torch.randn(4, capsules, samples, generator=generator, dtype=torch.float64)


def batch_of(case: str, seed: int) -> Tensor:
    return batch(CASES[case][1], seed, samples=SAMPLES.get(case, 1200))


def recipe(case: str, parts: int, *further: str) -> Recipe:
    name, _, _, overrides = CASES[case]
    spectra = () if case in SAMPLES else ON_SPECTRA
    split = f"trainer.accumulate_grad_batches={parts}"
    profile = load_profile(name, [*TINY, *spectra, *overrides, split, *further]).profile
    runtime = FabricRuntime(0, precision="64-true")
    trained = build_recipe(profile, runtime=runtime, updates_per_epoch=10)
    codec = trained._codec if isinstance(trained, PairedRecipe) else trained
    assert isinstance(codec, CodecRecipe)
    losses = codec._training._objective._losses.values()
    for module in (*trained.modules().values(), *losses):
        if isinstance(module, nn.Module):
            module.double()  # the windows of the losses, too
    trained.initialize(batch_of(case, 100 + index) for index in range(100))
    return trained


def train(trained: Recipe, case: str, *, steps: int) -> list[Scalars]:
    return [trained.train_step(batch_of(case, step), step) for step in range(steps)]


def weights(trained: Recipe) -> dict[str, Tensor]:
    return {
        f"{role}.{name}": value.clone()
        for role, network in trained.modules().items()
        for name, value in network.state_dict().items()
    }


@pytest.mark.parametrize("case", CASES)
def test_two_and_four_parts_give_the_weights_and_figures_of_one(case: str) -> None:
    steps = 2 if case == "several discriminators" else 3
    whole = recipe(case, 1)
    start = weights(whole)
    rows = train(whole, case, steps=steps)
    expected = weights(whole)
    moved = {_part(name) for name, value in expected.items() if not torch.equal(value, start[name])}
    assert moved == {_part(name) for name in expected}
    for parts in CASES[case][2]:
        split = recipe(case, parts)
        split_rows = train(split, case, steps=steps)
        for name, value in weights(split).items():
            torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-9, msg=name)
        for ours, theirs in zip(split_rows, rows, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-9)


def _part(name: str) -> str:
    """The encoder, the quantizer, the decoder, or a discriminator by its number."""
    return ".".join(name.split(".")[:3])


def test_a_state_goes_on_in_another_number_of_parts() -> None:
    whole = recipe("paired", 1)
    train(whole, "paired", steps=2)
    resumed = recipe("paired", 4)
    resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
    for trained in (whole, resumed):
        for step in (2, 3):
            trained.train_step(batch(CASES["paired"][1], step), step)
    expected = weights(whole)
    for name, value in weights(resumed).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-9, msg=name)


def test_the_parts_of_these_batches_are_far_from_alike() -> None:
    """What the test above would miss if all parts were alike."""
    louder, quieter = batch(2, 0)[2:], batch(2, 0)[:2]
    sizes = [recipe("paired", 1).train_step(part, 0)["loss/time"] for part in (louder, quieter)]
    assert sizes[0] > 3 * sizes[1]


def test_only_a_part_of_the_batch_is_in_the_networks_at_once() -> None:
    trained = recipe("paired", 4, "trainer.discriminator.start={step=0}")
    seen: dict[str, set[int]] = {}
    for role, network in trained.modules().items():
        network.register_forward_pre_hook(
            lambda _network, inputs, role=role: seen.setdefault(role, set()).add(len(inputs[0]))
        )
    train(trained, "paired", steps=1)
    assert seen == {"generator": {2}, "discriminator": {2}}  # two capsules of one item


CLIPPED = (
    "trainer.gradient_clip_val=0.01",
    "trainer.discriminator.gradient_clip_val=1e-4",
    "trainer.discriminator.update_probability=1.0",
)


@pytest.mark.parametrize("order", ["generator_first", "discriminator_first"])
def test_both_sides_are_clipped_by_the_norm_of_the_whole_batch(order: str) -> None:
    """Clipped part by part, the sum would be another gradient, and the norms those of a part."""
    chosen = (*CLIPPED, f"trainer.order={order}")
    whole, free = recipe("paired", 1, *chosen), recipe("paired", 1, *CLIPPED[2:])
    rows, unclipped = train(whole, "paired", steps=3), train(free, "paired", steps=1)
    for side, limit in (("generator", 0.01), ("discriminator", 1e-4)):
        assert all(row[f"grad_norm/{side}"] > 2 * limit for row in rows[1:]), side  # it is clipped
    norm = "grad_norm/generator"
    torch.testing.assert_close(rows[0][norm], unclipped[0][norm])  # told as it was before clipping
    split = recipe("paired", 4, *chosen)
    for ours, theirs in zip(train(split, "paired", steps=3), rows, strict=True):
        for side in ("generator", "discriminator"):
            name = f"grad_norm/{side}"
            assert (name in ours) == (name in theirs)
            if name in ours:
                torch.testing.assert_close(ours[name], theirs[name], rtol=1e-6, atol=0)
    expected = weights(whole)
    for name, value in weights(split).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-9, msg=name)


def test_a_batch_that_cannot_be_split_evenly_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"found 3, allowed: a divisor of data\.batch_size = 4"):
        load_profile("mono", [*TINY, *ON_SPECTRA, *BOOKS, "trainer.accumulate_grad_batches=3"])
