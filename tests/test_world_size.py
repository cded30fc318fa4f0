"""One global batch on several processes that talk over gloo, and in parts: the same training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "world_size.py"


@pytest.mark.parametrize(
    ("case", "processes", "bound"),
    [
        ("paired", ["2", "4", "2"], 1e-9),
        ("channels", ["2", "4", "2"], 1e-9),
        ("codebooks", ["2", "4"], 1e-6),
    ],
)
def test_processes_and_parts_end_with_the_weights_of_one(
    case: str, processes: list[str], bound: float
) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--only", case],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split("|")[1:] for line in done.stdout.splitlines()[2:]]
    assert [cells[1].strip() for cells in lines] == processes
    assert all(float(cells[3]) < bound and cells[5].strip() == "held" for cells in lines)
