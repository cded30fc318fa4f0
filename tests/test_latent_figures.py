"""What a drawn latent carries, from moments worked out by hand."""

from __future__ import annotations

import torch

from codecctl.engine.quantizers.gaussian import moments
from codecctl.engine.recipes.latent_figures import latent_scalars, mean_norm
from codecctl.engine.runtime import FabricRuntime

NORMS = [torch.ones(())]


def test_a_mean_that_moves_is_active_and_one_that_stands_still_is_not() -> None:
    # Two numbers; deviation 1: the first mean is 3 or -3, the second always 2.
    scale = torch.full((2, 2, 4), 0.5411647)  # softplus 0.9999, and 1e-4 on top
    mean = torch.tensor([[3.0, 2.0], [-3.0, 2.0]])[..., None].expand(2, 2, 4)
    found = latent_scalars(NORMS, [moments(torch.cat([mean, scale], 1))], FabricRuntime(0))
    assert float(found["latent/active"]) == 0.5
    # ln 1 = 0, so the divergences are 9 and 4.
    for name, value in (("most", 9.0), ("least", 4.0), ("mean", 6.5)):
        torch.testing.assert_close(
            found[f"latent/kl/{name}"], torch.tensor(value), rtol=1e-4, atol=0
        )
    # Second moments 10 and 5, mean of all numbers 1.
    expected = torch.tensor(7.5 - 1.0).sqrt()
    torch.testing.assert_close(found["latent/std"], expected, rtol=1e-4, atol=0)


def test_a_small_latent_that_follows_the_audio_is_active() -> None:
    generator = torch.Generator().manual_seed(0)
    mean = 1e-2 * torch.randn(4, 3, 50, generator=generator)
    follows = torch.cat([mean, torch.full_like(mean, -6.0)], 1)  # deviation 0.0026
    noisy = torch.cat([mean, torch.full_like(mean, 1.0)], 1)  # deviation 1.3
    for latent, active in ((follows, 1.0), (noisy, 0.0)):
        found = latent_scalars(NORMS, [moments(latent)], FabricRuntime(0))
        assert float(found["latent/active"]) == active


def test_portions_make_the_figures_of_the_whole() -> None:
    latent = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(1))
    whole = latent_scalars(NORMS, [moments(latent)], FabricRuntime(0))
    parts = latent_scalars(NORMS, [moments(part) for part in latent.chunk(2)], FabricRuntime(0))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value)
    assert set(latent_scalars(NORMS, [], FabricRuntime(0))) == {"latent/norm"}


def test_the_norm_is_the_mean_over_frames() -> None:
    latent = torch.tensor([[[3.0, 0.0], [4.0, 1.0]]])  # two frames of norms 5 and 1
    assert float(mean_norm(latent)) == 3.0
    found = latent_scalars([mean_norm(latent), mean_norm(2 * latent)], [], FabricRuntime(0))
    assert float(found["latent/norm"]) == 4.5
