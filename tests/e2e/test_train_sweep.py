"""A sweep as a user starts it: runs in turn, Ctrl-C, and on from there."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from codecctl.engine.lease import read_state

from .training import ENDLESS, SHORT, run, start, wait_for_step, write_store

pytestmark = pytest.mark.e2e


def test_a_sweep_is_interrupted_and_goes_on_where_it_was(tmp_path: Path) -> None:
    write_store(tmp_path / "stores" / "tiny")
    sweep = (*ENDLESS, "trainer.seed=1,2", "-m", "--run", "grid")
    process = start(tmp_path, "train", *sweep)
    wait_for_step(process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "grid: stopped in grid-1-seed=1; continue with: codecctl train -m --run grid" in err
    first = tmp_path / "runs" / "grid-1-seed=1"
    state = read_state(first)
    assert state is not None
    assert (state.status, state.step > 0) == ("stopped", True)
    assert not (tmp_path / "runs" / "grid-2-seed=2").exists()
    code, _, err = run(tmp_path, "train", *sweep)
    assert code == 2
    assert "grid.sweep.json: exists" in err


def test_values_are_trained_one_by_one_and_ranked(tmp_path: Path) -> None:
    write_store(tmp_path / "stores" / "tiny")
    short = (*SHORT, "trainer.max_steps=2", "trainer.val_every_n_steps=2")
    sweep = (*short, "trainer.optimizer.config.lr=1e-3,1e-2", "-m", "--run", "rates")
    code, out, err = run(tmp_path, "train", *sweep)
    assert code == 0, err
    head, *lines = out.splitlines()
    assert head.split() == ["run", "trainer.optimizer.config.lr", "status", "step", "val/mel"]
    rows = [line.split() for line in lines if line.startswith("rates-")]
    assert {row[0] for row in rows} == {"rates-1-lr=1e-3", "rates-2-lr=1e-2"}
    assert [row[2:4] for row in rows] == [["finished", "2"]] * 2
    assert float(rows[0][4]) <= float(rows[1][4])
    rates = [
        json.loads((tmp_path / "runs" / name / "profile.json").read_bytes())["profile"]["trainer"]
        for name in ("rates-1-lr=1e-3", "rates-2-lr=1e-2")
    ]
    assert [trainer["optimizer"]["config"]["lr"] for trainer in rates] == [1e-3, 1e-2]
    code, again, err = run(tmp_path, "train", "-m", "--run", "rates", "--resume")
    assert code == 0, err
    assert err.count("finished before") == 2
    assert [line for line in again.splitlines() if line.startswith("rates-")] == [
        line for line in lines if line.startswith("rates-")
    ]
