"""One global batch on several processes that talk over gloo, and in parts: the same training."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long]

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "world_size.py"
BOUNDS = {
    ("paired", "2:2"): 1e-9,
    ("channels", "4:1"): 1e-9,
    ("stages", "2:1"): 1e-9,
    ("codebooks", "2:1"): 1e-6,
    ("fsdp", "2:2"): 1e-9,
}
if find_spec("deepspeed"):
    BOUNDS["deepspeed", "2:2"] = 1e-5


def test_processes_and_parts_end_with_the_weights_of_one() -> None:
    """One split of each case; the script alone goes through all of them."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *(f"{case}={split}" for case, split in BOUNDS)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split("|")[1:] for line in done.stdout.splitlines()[2:]]
    for (case, split), cells in zip(BOUNDS, lines, strict=True):
        assert cells[0].split(",")[0].strip() == case
        assert [cells[1].strip(), cells[2].strip()] == split.split(":")
        assert float(cells[3]) < BOUNDS[case, split], case
        assert cells[5].strip() == "held", case
