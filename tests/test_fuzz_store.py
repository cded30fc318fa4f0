"""A small, fixed sample of `benchmarks/soak/mutated_stores.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .store_mutations import DTYPES, damage, make_sound_store
from .store_oracle import judge, judge_commands, read_all

CASES = 200


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_damaged_store_is_one_clear_line_or_a_correct_read(tmp_path: Path, dtype: str) -> None:
    sound = make_sound_store(tmp_path / "sound", dtype)
    samples = read_all(sound)
    folder = tmp_path / "stores" / "damaged"
    outcomes = set()
    for number in range(DTYPES.index(dtype), CASES, len(DTYPES)):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder)
        done = damage(folder, number, seed=1)
        outcome, why = judge(folder, done, samples)
        assert outcome in ("read", "found", "refused"), (number, done.how, done.expect, why)
        outcomes.add(outcome)
    assert outcomes == {"read", "found", "refused"}


@pytest.mark.long
@pytest.mark.parametrize("number", range(0, 30, 3))
def test_commands_end_with_the_exit_code_of_the_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = make_sound_store(tmp_path / "stores" / "damaged", "int16")
    done = damage(folder, number, seed=2)
    assert judge_commands(folder, done) == ("fine", ""), done
