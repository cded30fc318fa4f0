"""How much a count or a share leaves, and that a share of nothing is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecctl.engine.limits import limited, period
from codecctl.engine.prepare import cadence_of
from codecctl.engine.profile import load_profile
from codecctl.errors import ProfileError


@pytest.mark.parametrize(
    ("total", "limit", "left"),
    [
        (10, 3, 3),
        (10, 30, 10),
        (10, 1, 1),
        (10, 1.0, 10),
        (10, 0.39, 3),
        (10, 0.05, 0),
        (30, 0.1, 3),
    ],
)
def test_a_count_is_a_count_and_a_number_with_a_point_a_share(
    total: int, limit: int | float, left: int
) -> None:
    assert limited(total, limit) == left


@given(st.integers(1, 10**6), st.integers(1, 1000))
def test_the_share_that_was_written_is_meant(total: int, thousandths: int) -> None:
    assert limited(total, thousandths / 1000) == total * thousandths // 1000
    assert period(total, thousandths / 1000) == Fraction(total * thousandths, 1000)


def test_an_epoch_is_as_long_as_its_limit_says_and_schedules_count_by_it() -> None:
    lengths = {
        limit: cadence_of(
            load_profile(
                "paired", ["trainer.updates_per_epoch=50", f"trainer.limit_train_batches={limit}"]
            ).profile
        )
        for limit in ("1.0", "1", "0.5", "20", "99")
    }
    assert [cadence.updates_per_epoch for cadence in lengths.values()] == [50, 1, 25, 20, 50]
    assert lengths["0.5"].max_steps == 25 * 300
    assert [step for step in range(1, 300) if lengths["20"].validates(step)] == [100, 200]


@pytest.mark.parametrize(
    ("written", "steps"),
    [("0.25", [3, 5, 8, 10, 13, 15, 18, 20]), ("1.0", [10, 20]), ("1", list(range(1, 21)))],
)
def test_a_validation_may_come_after_a_share_of_an_epoch(written: str, steps: list[int]) -> None:
    cadence = cadence_of(
        load_profile(
            "paired",
            [
                "trainer.updates_per_epoch=10",
                "trainer.check_val_every_n_epoch=0",
                f"trainer.trainer.val_check_interval={written}",
            ],
        ).profile
    )
    assert [step for step in range(1, 21) if cadence.validates(step)] == steps


@pytest.mark.parametrize(
    ("profile", "overrides", "line"),
    [
        ("paired", ["trainer.limit_train_batches=0.0001"], "none of 1725 batches; .*0.00058,"),
        ("paired", ["trainer.limit_val_batches=0.01"], "found 0.01, which is none of 13 batches"),
        ("paired", ["trainer.limit_val_batches=0"], "found 0, allowed: a whole number at least 1"),
        ("paired", ["trainer.limit_val_batches=1.5"], "found 1.5, allowed: a whole number"),
        ("lossless-8bit", ["trainer.limit_val_batches=0.1"], "which is none of 4 batches"),
        ("lossless-8bit", ["data.num_chunks=64"], "found 64, allowed: at least data.batch_size"),
    ],
)
def test_what_leaves_nothing_is_one_line(profile: str, overrides: list[str], line: str) -> None:
    with pytest.raises(ProfileError, match=line):
        load_profile(profile, overrides)
