"""The waveform terms by hand."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.losses import LOSSES
from codecctl.engine.losses.waveform import squared_time_distance, time_distance
from codecctl.engine.losses.weights import match_weights
from codecctl.errors import ProfileError


def test_the_time_distance_is_the_mean_absolute_difference_of_each_item() -> None:
    reference = torch.zeros(2, 1, 4)
    estimate = torch.tensor([[[1.0, -1.0, 0.0, 0.0]], [[0.5, 0.5, 0.5, 0.5]]])
    assert time_distance(estimate, reference).tolist() == [0.5, 0.5]


def test_the_squared_distance_is_the_mean_square_of_each_item() -> None:
    reference = torch.zeros(2, 1, 4)
    estimate = torch.tensor([[[1.0, -1.0, 0.0, 0.0]], [[0.5, 0.5, 0.5, 0.5]]])
    assert squared_time_distance(estimate, reference).tolist() == [0.5, 0.25]


CONFIGS: dict[str, dict[str, object]] = {
    "time": {"kind": "l1"},
    "mel": {"kind": "log", "scales": (6, 8), "num_mels": 16},
    "si_sdr": {"zero_mean": True},
    "mrstft": {
        "n_ffts": (256,),
        "hop_lengths": (64,),
        "win_lengths": (256,),
        "convergence": 1.0,
        "log_magnitude": 1.0,
        "magnitude": 1.0,
        "complex": 1.0,
    },
    "linear_mel": {"scales": (6, 8), "num_mels": 16},
    "phase": {"n_fft": 256, "hop_length": 64, "win_length": 256},
}


@pytest.mark.parametrize("name", sorted({*LOSSES} - {"si_sdr"}))
def test_every_term_is_zero_where_the_estimate_is_the_reference(name: str) -> None:
    loss = LOSSES[name](sample_rate=24_000, **CONFIGS[name])
    audio = torch.randn(3, 1, 1200, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loss(audio, audio), torch.zeros(3), atol=1e-6, rtol=0)
    assert bool((loss(audio, -0.5 * audio) > 0.1).all())


def test_more_signal_than_distortion_is_below_zero() -> None:
    loss = LOSSES["si_sdr"](sample_rate=24_000, zero_mean=True)
    audio, noise = torch.randn(2, 3, 1, 1200, generator=torch.Generator().manual_seed(0))
    assert bool((loss(audio + 0.1 * noise, audio) < -15).all())
    assert bool((loss(noise, audio) > 0).all())


def test_a_weight_that_names_no_term_is_refused() -> None:
    with pytest.raises(
        ProfileError, match=r"reconstruction\.weights\.tmie: names no term"
    ) as caught:
        match_weights("reconstruction", {"time", "mel"}, {"tmie": 1.0, "mel": 1.0})
    assert caught.value.problems[1] == (
        "trainer.loss_config.reconstruction.time: has no weight; set "
        "trainer.loss_config.reconstruction.weights.time, 0 to leave the term out"
    )


def test_a_weight_of_zero_leaves_the_term_out() -> None:
    assert match_weights("pairwise", {"a", "b"}, {"a": 0.0, "b": 2.0}) == {"b": 2.0}
