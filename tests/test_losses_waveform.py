"""The waveform terms by hand."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.losses import LOSSES, WaveLossConfig
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


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_term_is_zero_where_the_estimate_is_the_reference(name: str) -> None:
    loss = LOSSES[name](WaveLossConfig(sample_rate=24_000, scales=(6, 8), num_mels=16))
    audio = torch.randn(3, 1, 1200, generator=torch.Generator().manual_seed(0))
    assert loss(audio, audio).tolist() == [0, 0, 0]
    assert bool((loss(audio, 0.5 * audio) > 0).all())


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
