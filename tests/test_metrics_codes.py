"""What codes say of each other and of their capsule: hand values, identities, known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.datasets.geometry import capsule_angles
from codecctl.engine.metrics import (
    agreement_by_angle,
    agreement_by_chance,
    agreement_matrix,
    capsule_probe,
    code_agreement,
    code_capsule_information,
    first_code_information,
    mutual_information,
)
from codecctl.engine.metrics.probe import wilson_interval


def draws(high: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_matrix_holds_the_agreement_of_each_pair() -> None:
    codes = draws(3, 4, 5, 2, 50)
    matrix = agreement_matrix(codes, codebook_size=3)
    for m in range(5):
        for n in range(5):
            expected = 1.0 if m == n else float(code_agreement(codes[:, [m, n]]).mean())
            assert matrix.observed[m, n].item() == pytest.approx(expected)
    second = agreement_matrix(codes, codebook_size=3, stage=1).observed[0, 1].item()
    assert second == pytest.approx(float(code_agreement(codes[:, :2], stage=1).mean()))


def test_chance_is_what_frequencies_alone_would_give() -> None:
    codes = torch.zeros(1, 2, 1, 4, dtype=torch.int64)
    codes[0, 0, 0] = torch.tensor([0, 0, 0, 1])
    codes[0, 1, 0] = torch.tensor([1, 1, 0, 0])
    matrix = agreement_matrix(codes, codebook_size=2)
    assert matrix.observed[0, 1] == 0.25
    assert matrix.chance[0, 1] == 0.75 * 0.5 + 0.25 * 0.5
    collapsed = agreement_matrix(torch.zeros_like(codes), codebook_size=2)
    assert collapsed.observed[0, 1] == collapsed.chance[0, 1] == 1


def test_chance_over_all_capsules_is_the_sum_of_squared_frequencies() -> None:
    codes = torch.tensor([0, 0, 0, 1]).reshape(1, 2, 1, 2)
    assert agreement_by_chance(codes, codebook_size=4).item() == 0.75**2 + 0.25**2


def test_pairs_of_one_angle_stand_together_beside_the_diffuse_field() -> None:
    # Two halves of the sphere: front capsules hold one code, the others another.
    front = torch.from_numpy(np.cos(np.radians(capsule_angles()[0])) > 0)
    codes = front.long()[None, :, None, None].expand(1, 32, 1, 3)
    groups = agreement_by_angle(agreement_matrix(codes, codebook_size=2))
    assert [group.pairs for group in groups] == [60, 30, 30, 60, 60, 60, 60, 30, 30, 60, 16]
    assert sum(group.pairs for group in groups) == 32 * 31 // 2
    assert [round(group.degrees) for group in groups[:3]] == [37, 42, 63]
    assert groups[0].agreement > groups[5].agreement > groups[-1].agreement == 0
    share = float(front.double().mean())
    assert 0.3 < share < 0.7
    same = (front[:, None] == front).numpy()[np.triu_indices(32, 1)]
    whole = sum(group.agreement * group.pairs for group in groups) / len(same)
    assert whole == pytest.approx(same.mean())
    for group in groups:
        low, high = group.coherence[0], group.coherence[-1]
        assert -1 <= high <= low + 0.5 and low <= 1
    near, far = groups[0].coherence, groups[-1].coherence
    assert near[0] > 0.95 and near[0] > near[-1]
    assert all(a > b for a, b in zip(near, far, strict=True))


def test_information_of_labels_about_themselves_is_their_entropy() -> None:
    labels = torch.arange(8).repeat(100)
    found = mutual_information(labels, labels.flip(0), sizes=(8, 8))
    assert found.plug_in == pytest.approx(3.0)
    assert found.entropies == pytest.approx((3.0, 3.0))
    # Eight cells, rows and columns in use: (8 - 8 - 8 + 1) / (2 * 800 ln 2), which is negative.
    assert found.bias == pytest.approx(-7 / (1600 * math.log(2)))
    assert found.bits == pytest.approx(3.0 + 7 / (1600 * math.log(2)))


def test_information_by_hand() -> None:
    # Joint table [[2, 0], [1, 1]]: H(X) = 1, H(Y) = h(1/4), H(X, Y) = 1.5.
    first, second = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 1])
    entropy = 0.25 * 2 + 0.75 * math.log2(4 / 3)
    found = mutual_information(first, second, sizes=(2, 2))
    assert found.plug_in == pytest.approx(1 + entropy - 1.5)
    assert found.bias == pytest.approx((3 - 2 - 2 + 1) / (8 * math.log(2)))


def test_the_correction_takes_off_what_few_samples_add() -> None:
    first, second = draws(16, 4000, seed=1), draws(16, 4000, seed=2)
    found = mutual_information(first, second, sizes=(16, 16))
    assert found.plug_in > 0.03
    assert abs(found.bits) < 0.01 and abs(found.shuffled) < 0.005
    again = mutual_information(first, second, sizes=(16, 16))
    assert again == found  # the shuffles are seeded


def test_where_cells_hold_one_sample_the_shuffles_show_the_bias_left_over() -> None:
    first, second = draws(256, 500, seed=1), draws(256, 500, seed=2)
    found = mutual_information(first, second, sizes=(256, 256))
    assert found.bits > 1  # nothing is shared, and yet
    assert found.bits == pytest.approx(found.shuffled, abs=0.05)


def test_first_codes_that_are_shared_tell_their_whole_entropy() -> None:
    shared = draws(8, 4, 1, 1, 500).expand(4, 3, 1, 500)
    found = first_code_information(shared, codebook_size=8)
    assert found.plug_in == pytest.approx(found.entropies[0])
    assert found.samples == 6 * 4 * 500  # ordered pairs
    apart = first_code_information(draws(8, 4, 3, 1, 500), codebook_size=8)
    assert abs(apart.bits) < 0.01
    collapsed = first_code_information(torch.zeros_like(shared), codebook_size=8)
    assert collapsed.plug_in == 0


def test_a_code_that_is_the_capsule_tells_it() -> None:
    capsules = torch.tensor([[0, 3], [2, 1], [3, 2], [1, 0]])
    codes = torch.stack([draws(4, 4, 2, 50), capsules[..., None].expand(4, 2, 50)], 2)
    found = code_capsule_information(codes, capsules, codebook_size=4, num_capsules=4)
    assert found.plug_in == pytest.approx(2.0)
    other = code_capsule_information(codes, capsules, codebook_size=4, num_capsules=4, stage=0)
    assert abs(other.bits) < 0.05


def test_what_frames_of_one_signal_share_is_no_information_about_the_capsule() -> None:
    """Every signal holds one code of its own, drawn without regard to the capsule."""
    capsules = torch.arange(4).repeat(10, 1)
    codes = draws(16, 10, 4, 1, 1).expand(10, 4, 2, 50)
    found = code_capsule_information(codes, capsules, codebook_size=16, num_capsules=4)
    assert found.bits > 0.4
    assert found.bits - found.shuffled < 0.25


def test_a_probe_tells_capsules_that_have_their_own_place() -> None:
    capsules = torch.tensor([[0, 1], [1, 2], [2, 0], [0, 1], [1, 2], [2, 0]])
    places = 5 * torch.eye(3)[capsules]  # (B, M, D)
    vectors = places[..., None] + 0.1 * normal(6, 2, 3, 20)
    found = capsule_probe(vectors, capsules)
    assert found.accuracy == 1 and found.tells
    assert found.frames == 3 * 2 * 20
    assert found.chance == pytest.approx(1 / 3, abs=0.2)
    assert capsule_probe(vectors, capsules) == found
    assert capsule_probe(100 * vectors, capsules).accuracy == 1  # no scale matters


def test_a_probe_of_noise_is_no_better_than_chance() -> None:
    capsules = torch.arange(4).repeat(40, 1)
    found = capsule_probe(normal(40, 4, 6, 25), capsules)
    assert found.chance == 0.25
    assert found.low < 0.25 < found.high and not found.tells


def test_a_probe_finds_what_only_a_direction_shows() -> None:
    """A capsule is a small shift across a direction of large spread."""
    capsules = torch.arange(2).repeat(20, 1)
    spread = 10 * normal(20, 2, 1, 50) * torch.tensor([1.0, 1.0])[:, None]
    shift = 0.2 * capsules[..., None, None] * torch.tensor([1.0, -1.0])[:, None]
    found = capsule_probe(spread + shift + 0.02 * normal(20, 2, 2, 50, seed=1), capsules)
    assert found.accuracy > 0.95


def test_frames_that_share_their_fate_widen_the_interval() -> None:
    """All frames of a signal are the same: a second counts once, not fifty times."""
    capsules = torch.arange(2).repeat(60, 1)
    vectors = (normal(60, 2, 4, 1) + 0.4 * capsules[..., None, None]).expand(60, 2, 4, 50)
    found = capsule_probe(vectors, capsules)
    assert found.frames == 3000
    assert found.effective_frames == pytest.approx(60, rel=0.1)


def test_vectors_without_any_spread_are_told_as_well() -> None:
    capsules = torch.arange(2).repeat(4, 1)
    vectors = capsules[..., None, None].double().expand(4, 2, 3, 5)
    assert capsule_probe(vectors, capsules).accuracy == 1
    silent = capsule_probe(torch.zeros(4, 2, 3, 5), capsules)
    assert silent.accuracy == silent.chance == 0.5


@pytest.mark.parametrize(
    ("share", "trials", "low", "high"),
    [(0.5, 10, 0.2366, 0.7634), (0.0, 10, 0.0, 0.2775), (0.9, 100, 0.8256, 0.9448)],
)
def test_intervals_of_shares_are_those_of_the_tables(
    share: float, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(share, trials) == pytest.approx((low, high), abs=1e-4)


def test_no_trials_tell_nothing() -> None:
    assert wilson_interval(0.0, 0) == (0.0, 1.0)
