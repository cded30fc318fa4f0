"""A small, fixed sample of `benchmarks/soak/training_kills.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .training import environment

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def test_each_profile_killed_at_two_moments_ends_as_if_it_had_not_been() -> None:
    """In the warm-up, among the discriminators, in a checkpoint, validation and preview."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak.training_kills", "--fixed", "--seed", "1"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.splitlines()
    assert last == "10 kills, seed 1: every resumed training equals the undisturbed"
    kinds = {line.split("|")[2].split(" of ")[0].rstrip(" 0123456789,") for line in table[2:]}
    assert len(kinds) == 5, kinds
