"""When the discriminators judge and learn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.adversary import Jury
from codecctl.engine.recipes.timing import Timing
from codecctl.engine.runtime import FabricRuntime

TIMING = Timing(
    start_step=10,
    update_probability=0.5,
    update_every=1,
    generator_first=True,
    adversarial_before_start=False,
)


def learned(timing: Timing, *, seed: int = 3401, steps: int = 2000) -> list[int]:
    return [step for step in range(steps) if timing.learns(step, seed=seed)]


def test_nothing_happens_before_the_start() -> None:
    assert not any(TIMING.judges(step) for step in range(10))
    assert TIMING.judges(10)
    assert min(learned(TIMING)) >= 10


def test_the_original_judges_before_it_learns() -> None:
    original = replace(TIMING, adversarial_before_start=True)
    assert original.judges(0)
    assert learned(original) == learned(TIMING)


def test_half_of_the_steps_learn_and_the_seed_decides_which() -> None:
    assert 0.46 < len(learned(TIMING)) / 1990 < 0.54
    assert learned(TIMING) == learned(TIMING)
    assert learned(TIMING) != learned(TIMING, seed=1)


def test_a_probability_of_one_learns_on_every_step_of_its_stride() -> None:
    certain = replace(TIMING, update_probability=1.0, update_every=4)
    assert learned(certain, steps=30) == [12, 16, 20, 24, 28]


class Echo(nn.Module):
    """Judges with the audio itself."""

    def forward(self, audio: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        return [(audio, [audio])]


def test_a_jury_hands_on_every_scale_of_every_member() -> None:
    judgements = Jury([Echo(), Echo()])(torch.ones(1, 1, 4))
    assert len(judgements) == 2


@pytest.mark.long
def test_a_profile_may_train_with_the_terms_of_soundstream() -> None:
    pulls = {}
    for kind in ("relative", "summed"):
        profile = load_profile(
            "mono",
            [
                "model=soundstream",
                "model=soundstream-tiny",
                "trainer.loss_config.reconstruction.time.config.kind=l2",
                "trainer.loss_config.reconstruction.mel.config.kind=power_and_log_norm",
                f"trainer.loss_config.adversarial.feature.config.kind={kind}",
                "trainer.discriminator.start={step=0}",
                "model.quantizer.codebook_size=8",
            ],
        ).profile
        recipe = build_recipe(
            profile, runtime=FabricRuntime(0), updates_per_epoch=profile.data.items_per_epoch
        )
        audio = 0.1 * torch.randn(2, 1, 24_000, generator=torch.Generator().manual_seed(0))
        recipe.initialize(audio for _ in range(100))
        pulls[kind] = recipe.train_step(audio, 0)
    for scalars in pulls.values():
        assert all(bool(value.isfinite()) for value in scalars.values())
    # Sums over width and bins are larger than means that are relative to the size of a map.
    assert pulls["summed"]["loss/feature"] > 2 * pulls["relative"]["loss/feature"]
