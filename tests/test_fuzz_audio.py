"""A small, fixed sample of `benchmarks/soak/mutated_audio.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .audio_bases import bases
from .audio_mutations import case
from .audio_oracle import judge

CASES = 200


@pytest.mark.parametrize("part", range(4))
def test_a_damaged_audio_file_is_one_clear_line_or_a_correct_read(
    tmp_path: Path, part: int
) -> None:
    sound = bases()
    outcomes = []
    for number in range(part, CASES, 4):
        damaged = case(number, seed=1, sound=sound)
        path = tmp_path / f"case.{damaged.suffix}"
        path.write_bytes(damaged.data)
        verdict = judge(path, tmp_path, convert=number % 8 == 0)
        assert verdict.outcome in ("equal", "refused", "stricter"), (damaged.how, number, verdict)
        assert not list(tmp_path.glob("rec/*")), number
        outcomes.append(verdict.outcome)
    assert len(set(outcomes)) == 3


def test_every_file_that_is_not_damaged_is_read_as_libsndfile_reads_it(tmp_path: Path) -> None:
    for base in bases():
        path = tmp_path / f"sound.{base.suffix}"
        path.write_bytes(base.data)
        assert judge(path, tmp_path, convert=True).outcome == "equal", base.name


def test_a_case_is_always_the_same_bytes() -> None:
    sound = bases()
    assert case(7, seed=1, sound=sound) == case(7, seed=1, sound=bases())
    assert case(7, seed=1, sound=sound) != case(7, seed=2, sound=sound)
